"""What one may do to objects: which actions, what they touch, and the requests that they are."""
