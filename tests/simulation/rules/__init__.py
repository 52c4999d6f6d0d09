"""What must not happen, each as a rule that is told of every write."""
