"""Where is the pretend slack.com for the demo and the tests? `Sandbox`; it imports nothing of portal."""

from .sandbox import Sandbox

__all__ = ["Sandbox"]
