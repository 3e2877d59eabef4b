"""Which pretend Slack does this request belong to?"""

from flask import current_app

from .platform import Platform


def here() -> Platform:
    platform: Platform = current_app.extensions["world"]
    return platform
