"""The overview page: how a cluster is, how busy it is, and what has changed lately."""
