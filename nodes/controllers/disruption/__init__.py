"""PodDisruptionBudgets: how many pods may go at a time, and how many there should be."""
