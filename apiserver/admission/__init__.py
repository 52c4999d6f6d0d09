"""Admission: what may still be changed or refused once a request is allowed and understood."""
