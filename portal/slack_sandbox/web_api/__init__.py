"""Which Web API methods does the pretend Slack serve? One table in `methods`."""
