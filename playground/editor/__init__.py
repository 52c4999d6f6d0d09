"""The editor: YAML in the browser, written through a cluster's API as the user."""
