"""Which pretend Slack does this request belong to?"""

from flask import current_app

from .platform import Platform


def here() -> Platform:
    platform = current_app.extensions["world"]
    assert isinstance(platform, Platform)
    return platform
