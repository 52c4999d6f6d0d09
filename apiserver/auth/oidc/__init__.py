"""Tokens of issuers outside the cluster: OpenID Connect, as the operator has set it up."""
