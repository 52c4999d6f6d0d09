"""What objects take of a ResourceQuota: usage, scopes, and what must be said to be counted."""
