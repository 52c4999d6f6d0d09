"""Numbers to hold ourselves to: `make bench` prints them beside their targets."""
