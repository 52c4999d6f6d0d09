"""Admission webhooks: reviews that are sent, and what the answers mean."""
