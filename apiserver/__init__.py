"""The API server: one Django app, the only one with tables of Kubernetes objects.

A request flows down: urls > endpoints > auth | admission > registry > watch > storage > models.
"""
