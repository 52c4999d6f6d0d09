"""What people do to a cluster, and what happens to its machines: each deed drawn by chance.

A deed is told in a sentence; "" where there was nothing to do it to.
"""
