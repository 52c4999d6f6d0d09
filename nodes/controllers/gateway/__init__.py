"""Gateways, their classes and their routes: what a simulated controller says of them."""
