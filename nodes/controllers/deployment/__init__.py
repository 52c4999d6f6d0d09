"""Deployments: ReplicaSets that follow a template, one after the other."""
