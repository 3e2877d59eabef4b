"""How do things look in Slack? Pure functions from state to Block Kit."""
