"""Alerts that people open themselves, here and in Slack."""
