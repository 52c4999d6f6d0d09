"""What one does to a cluster from outside: break something of it, stop its clock, speed it up."""
