"""Rules that kinds of several groups share: names with domains, webhooks, expressions."""
