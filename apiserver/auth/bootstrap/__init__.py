"""What a fresh v1.36 cluster holds before anybody writes to it."""
