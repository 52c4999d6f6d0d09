"""kube-proxy: Services and EndpointSlices become rules, which the network asks at each connection.

What is the same on every node is worked out once for the cluster; a node adds its own addresses
and keeps to endpoints of its own where a Service says so.
"""
