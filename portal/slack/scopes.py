"""Which permissions do we ask Slack for, why, and what does not work without them? (slack.md 7.3)"""

from typing import NamedTuple

REQUIRED: dict[str, str] = {
    "commands": "answer slash commands such as /il-alert, and shortcuts",
    "chat:write": "post alerts and keep them up to date",
    "channels:read": "offer the public channels to choose from",
    "users:read": "recognise who presses a button",
    "users:read.email": "match people by their e-mail address",
}
OPTIONAL: dict[str, str] = {
    "chat:write.public": "post to public channels without an invitation",
    "groups:read": "offer the private channels the app was invited to",
    "channels:history": (
        "make comments of replies in an alert's thread in a public channel, and look there before an"
        " interrupted message is sent again"
    ),
    "usergroups:read": "find the user group that follows who is on call",
    "usergroups:write": "keep that user group equal to who is on call",
    "groups:history": "do the same in a private channel that the app was invited to",
    "channels:manage": "make a public channel for one alert, and invite its responders",
    "groups:write": "make a private channel for one alert, and invite its responders",
    "bookmarks:write": "link the alert on top of its channel",
    "pins:write": "pin the alert's message in its channel",
}
ALL = (*REQUIRED, *OPTIONAL)


class Feature(NamedTuple):
    """A part of the product that is off while one of its scopes is missing."""

    name: str
    scopes: tuple[str, ...]
    without: str


FEATURES = (
    Feature(
        "Slash commands and shortcuts",
        ("commands",),
        "/ilert, /il-alert and /il-oncall do not exist in Slack.",
    ),
    Feature("Posting alerts", ("chat:write",), "No alert can be posted."),
    Feature("Choosing a channel", ("channels:read",), "The list of channels cannot be fetched."),
    Feature(
        "Recognising people",
        ("users:read", "users:read.email"),
        "Nobody new can be matched, so their buttons are refused.",
    ),
    Feature(
        "Posting without an invitation",
        ("chat:write.public",),
        "Type /invite @Tocsin in each channel that should show alerts.",
    ),
    Feature(
        "User groups of who is on call",
        ("usergroups:read", "usergroups:write"),
        "No user group follows an escalation policy.",
    ),
    Feature("Private channels", ("groups:read",), "Only public channels are offered."),
    Feature(
        "Never showing a message twice",
        ("channels:history", "groups:history"),
        "After an interruption a message may appear twice.",
    ),
    Feature(
        "Replies in threads become comments",
        ("channels:history", "groups:history"),
        "Updates are told in an alert's thread, but what people reply there stays in Slack.",
    ),
    Feature(
        "A channel for one alert",
        ("channels:manage",),
        "No public channel can be made for an alert.",
    ),
    Feature(
        "A private channel for one alert",
        ("groups:write", "groups:read"),
        "No private channel can be made for an alert.",
    ),
    Feature(
        "A bookmark in an alert's channel",
        ("bookmarks:write",),
        "The alert's page is linked in the topic only.",
    ),
    Feature(
        "A pin in an alert's channel",
        ("pins:write",),
        "The alert's message there can scroll out of sight.",
    ),
)
