"""What one can break in a cluster on purpose, to see what happens next; and how to mend it.

Nothing is written into a status: a part of the simulation really fails, and everybody else finds
out by their own rules.
"""
