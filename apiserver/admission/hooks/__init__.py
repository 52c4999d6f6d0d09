"""What policies and webhooks share: which requests they are about, and what expressions see."""
