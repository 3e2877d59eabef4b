"""Slack alert sources: what people without an account may do in which channels."""
