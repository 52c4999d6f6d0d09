"""Everything that runs on a machine of the cluster: the background workers.

They know the cluster by its API alone, through `nodes.client`.
"""
