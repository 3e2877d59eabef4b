"""How does the app come into a workspace, and what does its leaving take away?"""

from . import events, rotation
from .platform import Platform
from .state import Installation, Person, Token


def install(
    platform: Platform, team_id: str, enterprise_id: str, installer: str, scopes: list[str]
) -> tuple[Installation, Token]:
    """Install, or install again: one installation per workspace, scopes only grow.

    `team_id` is empty for a whole organization. Source: Slack docs, Installing with OAuth.
    """
    world = platform.world
    own = next(
        (
            each
            for each in world.installations.values()
            if each.is_active and (each.team_id, each.enterprise_id) == (team_id, enterprise_id)
        ),
        None,
    ) or _new(platform, team_id, enterprise_id, installer)
    own.installer, own.installed_at = installer, platform.clock.now()
    own.scopes += [scope for scope in scopes if scope not in own.scopes]
    good = [each for each in rotation.active(platform, own) if not each.expires_at]
    is_kept = not (world.switches.fresh_token_on_reinstall or rotation.is_on(platform))
    return own, good[-1] if good and is_kept else rotation.mint(platform, own)


def _new(platform: Platform, team_id: str, enterprise_id: str, installer: str) -> Installation:
    world = platform.world
    number = world.count("installation")
    home = team_id or enterprise_id
    bot_user_id = f"U0BOT{home}"
    bot = world.people.setdefault(
        bot_user_id,
        Person(
            bot_user_id,
            home,
            platform.manifest.bot_name.lower(),
            platform.manifest.bot_name,
            is_bot=True,
        ),
    )
    bot.deleted, bot.bot_id = False, f"B0APP{number:04}"
    own = Installation(
        id=f"I{number:04}",
        team_id=team_id,
        enterprise_id=enterprise_id,
        bot_user_id=bot_user_id,
        bot_id=bot.bot_id,
        installer=installer,
        installed_at=platform.clock.now(),
    )
    world.installations[own.id] = own
    return own


def end(platform: Platform, own: Installation, error: str) -> None:
    """The app is gone: tokens answer `error`, its windows close, its bot user leaves all channels."""
    world = platform.world
    own.is_active = False
    events.app_ended(platform, own)
    for token in world.tokens.values():
        if token.installation_id == own.id:
            token.error = token.error or error
    world.views = {k: v for k, v in world.views.items() if v.installation_id != own.id}
    world.people[own.bot_user_id].deleted = True
    for channel in world.channels.values():
        if own.bot_user_id in channel.members and not channel.is_im:
            channel.members.remove(own.bot_user_id)
