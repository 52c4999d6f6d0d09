"""`playground`: serve everything."""
