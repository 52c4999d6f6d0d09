"""The trace page: requests on their way through the cluster, and what came of them."""
