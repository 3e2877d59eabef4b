"""What is alerting? Knows no HTTP, no Slack, no template and no job engine."""
