"""The frame around every page: what a user prefers, the palette's search, recent events."""
