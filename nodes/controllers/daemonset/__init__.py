"""DaemonSets: a pod on each node that takes it."""
