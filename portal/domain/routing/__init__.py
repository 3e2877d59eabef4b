"""Alert actions: which alerts appear in which channel."""
