"""Terminals on the site: who may open one, and the way from a browser to its shell.

The shells themselves are another process (playground/shells); here is who one is, and that one's
terminals are one's own: nobody else's, whatever their role.
"""
