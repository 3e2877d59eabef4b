"""Alerts: what is burning, who has it, and what happened to it."""
