"""Structured allocation: which devices of a node a pod's claims can have. Pure functions."""
