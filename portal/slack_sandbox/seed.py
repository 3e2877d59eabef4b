"""Who and what is there at the start? The same workspaces, people and channels every time."""

from typing import Any

from .state import Channel, Person, Workspace, World

CREATED = 1_767_225_600  # 2026-01-01
EXTRA_CHANNELS = 2_500


def _person(
    team_id: str, user_id: str, real_name: str, email: str, tz: str, **flags: Any
) -> Person:
    name = real_name.lower().replace(" ", ".")
    return Person(user_id, team_id, name, real_name, email, tz, updated=CREATED, **flags)


def _channel(team_id: str, channel_id: str, name: str, members: str, **more: object) -> Channel:
    channel = Channel(channel_id, team_id, name, created=CREATED, members=members.split())
    for key, value in more.items():
        setattr(channel, key, value)
    channel.creator = channel.members[0] if channel.members else ""
    return channel


def _workspaces() -> list[Workspace]:
    return [
        Workspace("T0ACME", "Acme", "acme"),
        Workspace("T0BETA", "Beta", "beta"),
        Workspace("T0GAMMA", "Gamma", "gamma", "E0GLOBEX", "Globex"),
    ]


def _people() -> list[Person]:
    otherbot = _person("T0ACME", "U0OTHERBOT", "Buildbot", "", "UTC", is_bot=True)
    otherbot.bot_id = "B0OTHERBOT"
    return [
        _person(
            "T0ACME",
            "U0OLIVIA",
            "Olivia Owens",
            "Olivia@Acme.example",
            "Europe/London",
            is_admin=True,
        ),
        _person(
            "T0ACME", "U0ADAM", "Adam Ahmed", "adam@acme.example", "Europe/Berlin", is_admin=True
        ),
        _person("T0ACME", "U0UMA", "Uma Ueda", "uma@acme.example", "Asia/Tokyo"),
        _person("T0ACME", "U0ADA", "Ada Lovelace", "ada@acme.example", "Europe/London"),
        _person("T0ACME", "U0STAN", "Stan Stake", "stan@acme.example", "America/New_York"),
        _person("T0ACME", "U0WALTER", "Walter Walkin", "walter@acme.example", "Europe/Vienna"),
        _person(
            "T0ACME",
            "U0GUSTAV",
            "Gustav Gast",
            "gustav@guest.example",
            "Europe/Stockholm",
            is_restricted=True,
        ),
        _person(
            "T0ACME",
            "U0SINA",
            "Sina Single",
            "sina@guest.example",
            "Europe/Zurich",
            is_restricted=True,
            is_ultra_restricted=True,
        ),
        _person(
            "T0ACME", "U0DORA", "Dora Departed", "dora@acme.example", "Europe/Paris", deleted=True
        ),
        otherbot,
        _person(
            "T0BETA", "U0BEA", "Bea Baker", "bea@beta.example", "America/Chicago", is_admin=True
        ),
        _person("T0BETA", "U0BORIS", "Boris Brandt", "boris@beta.example", "Europe/Berlin"),
        _person(
            "T0GAMMA",
            "W0GRETA",
            "Greta Gruber",
            "greta@gamma.example",
            "Europe/Vienna",
            is_admin=True,
        ),
        _person("T0GAMMA", "W0GUS", "Gus Grant", "gus@gamma.example", "America/Denver"),
    ]


STAFF = "U0OLIVIA U0ADAM U0UMA U0ADA U0STAN U0WALTER"


def _channels() -> list[Channel]:
    everyone = f"{STAFF} U0GUSTAV"
    return [
        _channel(
            "T0ACME", "C0GENERAL", "general", everyone, is_general=True, topic="Company-wide news"
        ),
        _channel(
            "T0ACME", "C0ALERTS", "alerts", f"{everyone} U0SINA", topic="What is burning right now"
        ),
        _channel("T0ACME", "C0OPS", "ops", STAFF, topic="Servers, networks, certificates"),
        _channel("T0ACME", "C0DB", "db", "U0ADA U0UMA U0ADAM", topic="Databases"),
        _channel(
            "T0ACME",
            "C0WAR",
            "war-room",
            "U0OLIVIA U0ADAM",
            is_private=True,
            topic="Major incidents",
        ),
        _channel("T0ACME", "C0OLD", "old-alerts", STAFF, is_archived=True),
        _channel(
            "T0ACME",
            "C0PARTNERS",
            "partners",
            "U0OLIVIA U0UMA U0BEA U0BORIS",
            shared_with=["T0BETA"],
        ),
        _channel("T0BETA", "C0BETAGENERAL", "general", "U0BEA U0BORIS", is_general=True),
        _channel("T0BETA", "C0BETAALERTS", "alerts", "U0BEA U0BORIS"),
        _channel("T0GAMMA", "C0GAMMAGENERAL", "general", "W0GRETA W0GUS", is_general=True),
        _channel("T0GAMMA", "C0GAMMAALERTS", "alerts", "W0GRETA W0GUS"),
    ]


def _many_channels() -> list[Channel]:
    return [
        _channel("T0ACME", f"C0MANY{number:04}", f"team-{number:04}", "U0OLIVIA")
        for number in range(1, EXTRA_CHANNELS + 1)
    ]


def default() -> World:
    """Three workspaces with their people; the app is installed nowhere."""
    return World(
        workspaces={workspace.id: workspace for workspace in _workspaces()},
        people={person.id: person for person in _people()},
        channels={channel.id: channel for channel in _channels()},
    )


def many_channels() -> World:
    """The default, with 2,500 channels more in Acme."""
    world = default()
    world.channels |= {channel.id: channel for channel in _many_channels()}
    return world


def empty() -> World:
    """The workspaces with their admins, and no channel but #general."""
    world = default()
    world.people = {key: person for key, person in world.people.items() if person.is_admin}
    world.channels = {key: channel for key, channel in world.channels.items() if channel.is_general}
    for channel in world.channels.values():
        channel.members = [member for member in channel.members if member in world.people]
    return world


SEEDS = {"default": default, "many_channels": many_channels, "empty": empty}
