"""The controllers: one file each, none knows of another; manager.py lists them."""
