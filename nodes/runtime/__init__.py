"""Container runtimes of a node: the CRI interface, and what keeps it."""
