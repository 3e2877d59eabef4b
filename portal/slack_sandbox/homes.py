"""What happens when a person opens the app's Home?"""

import json

from . import direct_messages, events, views
from .payloads import installed_in
from .platform import Platform


def open_home(platform: Platform, team_id: str, user_id: str, tab: str = "home") -> None:
    """Tell the app (`app_home_opened`), which publishes what is to be seen; "home" or "messages".

    Raises NotThere where the app is not installed. Source: Slack docs, app_home_opened.
    """
    with platform.changing() as world:
        own, person = installed_in(world, team_id), world.people[user_id]
        channel = direct_messages.opened(platform, own, person, team_id)
        shown = world.home_of(user_id)
        event = {"type": "app_home_opened", "user": user_id, "channel": channel.id, "tab": tab}
        if shown is not None and tab == "home":
            event["view"] = json.loads(json.dumps(views.shape(platform, world, shown)))
        events.announce(platform, team_id, event)
