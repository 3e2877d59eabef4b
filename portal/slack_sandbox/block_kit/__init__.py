"""Are these blocks what Slack would accept, and how are they read? See `check` and `ids`."""
