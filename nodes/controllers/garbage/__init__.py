"""The garbage collector: the graph of owners, and what is done about it."""
