"""The control plane as a node of its own cluster: its pods, their logs, and what their ports say.

What works (controllers, scheduler, API, storage) is not in these pods: it runs whether they do or
not. They show it where `kubectl` looks.
"""
