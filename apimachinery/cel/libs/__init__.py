"""The functions of expressions, one library a module; `all.py` lists them."""
