"""How do we speak Slack? The only importer of slack_sdk."""
