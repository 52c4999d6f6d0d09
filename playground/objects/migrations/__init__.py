"""Tables of the object pages."""
