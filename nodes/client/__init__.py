"""All that a worker may use of the API: calls, informers, queues, the controller loop, events."""
