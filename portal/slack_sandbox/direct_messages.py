"""Where do the app and one person talk? One D… channel per pair, opened by the first word."""

from .platform import Platform
from .state import Channel, Installation, Person


def find(platform: Platform, own: Installation, person: Person) -> Channel | None:
    for each in platform.world.channels.values():
        if each.is_im and each.user == person.id and own.bot_user_id in each.members:
            return each
    return None


def opened(platform: Platform, own: Installation, person: Person, team_id: str) -> Channel:
    """The channel of the pair; made when there is none. Call it with the lock held."""
    if found := find(platform, own, person):
        return found
    world = platform.world
    made = Channel(
        id=f"D{world.count('dm'):08}",
        team_id=team_id,
        name="",
        created=int(platform.clock.now()),
        is_im=True,
        is_private=True,
        user=person.id,
        members=[person.id, own.bot_user_id],
    )
    world.channels[made.id] = made
    return made
