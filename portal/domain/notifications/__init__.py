"""Notifications: on which way, when, and with what outcome is a responder told?"""
