"""Who asks, and whether they may: authenticators, authorizers, certificates and tokens."""
