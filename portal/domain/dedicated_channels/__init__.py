"""Dedicated channels: one place in Slack for everybody who works on one alert."""
