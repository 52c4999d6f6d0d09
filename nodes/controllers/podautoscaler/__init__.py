"""The horizontal pod autoscaler: how many pods a target is to have, from what is measured."""
