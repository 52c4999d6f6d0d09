"""Lists of any kind, one object's page, its events and logs: the API's own answers."""
