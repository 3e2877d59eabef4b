"""Accounts, the people in them, what they may do and where they are signed in."""
