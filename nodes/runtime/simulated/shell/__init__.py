"""Shells of simulated containers: scripts, interactive terminals, and the commands in them."""
