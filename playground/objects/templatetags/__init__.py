"""Template tags of lists and objects."""
