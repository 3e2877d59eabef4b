"""Which words do the sandbox's pages use for people, channels, times and scopes?"""

from flask.sansio.app import App
from markupsafe import Markup

from . import render
from .here import here
from .state import Channel, Person

SCOPES = {
    "bookmarks:write": "Add and change bookmarks in channels it is in",
    "channels:history": "Read messages in public channels it is in",
    "channels:manage": "Create and archive public channels, and invite people to them",
    "channels:read": "See the public channels and their members",
    "chat:write": "Send messages as itself",
    "chat:write.public": "Send messages to public channels without being a member",
    "commands": "Offer shortcuts and slash commands",
    "groups:history": "Read messages in private channels it is in",
    "groups:read": "See the private channels it is in",
    "groups:write": "Create and archive private channels, and invite people to them",
    "pins:write": "Pin messages in channels it is in",
    "team:read": "See the name and the domain of the workspace",
    "usergroups:read": "See user groups and who is in them",
    "usergroups:write": "Create user groups and change who is in them",
    "users:read": "See the people of the workspace",
    "users:read.email": "See the e-mail addresses of the people",
}


def scope_words(scope: str) -> str:
    return SCOPES.get(scope, f"Use what “{scope}” allows")


def initials(name: str) -> str:
    """Return the first letters of the first two words."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


def role(person: Person) -> str:
    if person.is_bot:
        return "app"
    if person.is_guest:
        return "guest of one channel" if person.is_ultra_restricted else "guest"
    return "admin" if person.is_admin else "member"


def channel_name(channel: Channel, sign: str = "") -> str:
    return here().manifest.name if channel.is_im else f"{sign}{channel.name}"


def told(ts: str, zone: str) -> Markup:
    """Draw the time of a message as its reader's clock showed it, the date as its title."""
    full = render.moment(float(ts), zone, "%A, %-d %B %Y, %H:%M:%S")
    short = render.moment(float(ts), zone)
    return Markup('<time title="{}">{}</time>').format(full, short)


def init_app(app: App) -> None:
    """Give the templates their words and the drawing of Slack's texts."""
    for draw in (
        *(scope_words, initials, role, channel_name, told),
        *(render.mrkdwn, render.plain_text, render.safe_url, render.colour),
    ):
        app.add_template_filter(draw)
