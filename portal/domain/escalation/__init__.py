"""Escalation: who is asked about an alert, in which order, and for how long."""
