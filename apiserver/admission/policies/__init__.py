"""Admission policies: which bindings and parameters a request meets, and what they make of it."""
