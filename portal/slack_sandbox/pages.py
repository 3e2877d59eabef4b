"""What stands on a page of the workspace screen: channels, messages, the Home, a modal?"""

from collections.abc import Callable
from functools import partial

from flask import render_template, url_for

from . import commands, direct_messages, shortcuts
from .controls import control
from .here import here
from .render import Names
from .sight import Place, channels_seen, threads
from .state import Message, Person, World


def draw(template: str, world: World, place: Place, **more: object) -> str:
    """A page, or the parts of one that change, as the person of the place sees it."""
    platform, team_id, person = here(), place.workspace.id, place.person
    bot, shown = app_of(world, team_id), threads(world, place)
    for message, replies in shown:
        for each in (message, *replies):
            each.was_seen = each.was_seen or bool(each.ephemeral_for)
    stack = world.modals_of(person.id)
    return render_template(
        template,
        place=place,
        channels=channels_seen(world, place),
        threads=shown,
        people=world.people,
        names=_names(world, person),
        app_name=platform.manifest.name,
        app_is_here=bot is not None,
        app_is_member=bool(bot and place.channel and bot.id in place.channel.members),
        failures=_failures_for(person),
        control=partial(control, world, person),
        commands=commands.offered(platform, world, team_id),
        global_shortcuts=shortcuts.offered(platform, world, team_id, "global"),
        message_shortcuts=shortcuts.offered(platform, world, team_id, "message"),
        modal=stack[-1] if stack else None,
        home=world.home_of(person.id),
        home_tab=platform.manifest.home_tab_enabled,
        messages_tab=platform.manifest.messages_tab_enabled,
        is_read_only=platform.manifest.messages_tab_read_only,
        here=f"/w/{team_id}/{person.id}",
        address=address(place),
        **more,
    )


def address(place: Place) -> str:
    if place.channel is None:
        return url_for("screen.home", team_id=place.workspace.id, user_id=place.person.id)
    return url_for(
        "screen.channel",
        team_id=place.workspace.id,
        user_id=place.person.id,
        channel_id=place.channel.id,
    )


def app_of(world: World, team_id: str) -> Person | None:
    """The app's bot user in a workspace, None while it is not installed."""
    own = world.installation_for(team_id)
    return world.people.get(own.bot_user_id) if own else None


def direct_messages_of(world: World, place: Place) -> str:
    """The id of the person's channel with the app; "" before it was opened."""
    own = world.installation_for(place.workspace.id)
    found = direct_messages.find(here(), own, place.person) if own else None
    return found.id if found else ""


def _names(world: World, person: Person) -> Names:
    return Names(
        people={each.id: each.real_name for each in world.people.values()},
        channels={each.id: each.name for each in world.channels.values() if not each.is_private},
        groups={each.id: each.handle for each in world.usergroups.values()},
        zone=person.tz,
    )


def _failures_for(person: Person) -> Callable[[Message], list[str]]:
    def failures(message: Message) -> list[str]:
        """What Slack says to this person about their clicks that the app did not take."""
        return sorted(
            {
                words
                for where, words in message.failures.items()
                if where.startswith(f"{person.id}/")
            }
        )

    return failures
