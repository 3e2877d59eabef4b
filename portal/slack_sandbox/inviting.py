"""What does Slack itself do with `/invite @somebody`, which is a command of no app?"""

import re

from . import channels, posting
from .lookups import Impossible
from .payloads import NotThere
from .platform import Platform

COMMAND = "/invite"
MENTION = re.compile(r"<@(\w+)>")


def run(platform: Platform, team_id: str, user_id: str, channel_id: str, typed: str) -> None:
    """Bring those who are named into the channel. Raises NotThere where Slack would refuse."""
    with platform.reading() as world:
        channel = world.channels[channel_id]
        named = MENTION.findall(posting.escaped(typed, world, team_id))
        if user_id not in channel.members or channel.is_im:
            raise NotThere(f"Join #{channel.name} to invite somebody there.")
    if not named:
        raise NotThere("Name somebody of this workspace, as in /invite @tocsin.")
    try:
        for each in named:
            channels.invite(platform, channel_id, each)
    except Impossible as problem:
        raise NotThere(str(problem)) from problem
