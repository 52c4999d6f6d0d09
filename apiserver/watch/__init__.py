"""Watching: a hub that hands each committed event to its subscribers, and streams for HTTP."""
