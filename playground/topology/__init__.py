"""The live picture of a cluster: a watcher like any other, and the stream to the browser."""
