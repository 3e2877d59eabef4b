"""How do the modals look in which an alert is created? Pure functions from state to Block Kit."""

ALERT_TITLE = "Alert on-call engineers"  # anybody, in a channel that is set up
