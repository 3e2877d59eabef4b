"""Which methods change channels, what hangs on them, and user groups? One row each."""

from typing import Any

from . import channels, conversations, extras, usergroups
from .call import Call, SlackError
from .method import ANYTHING, PAGE, TIER_2, TIER_3, Method


def not_built(call: Call) -> dict[str, Any]:
    """Known only to answer `missing_scope`: the app asks for none of these scopes."""
    raise SlackError("unknown_method")


MANAGING: dict[str, Method] = {
    "conversations.create": Method(
        channels.create, TIER_2, taken="name is_private", takes_json=True
    ),
    "conversations.invite": Method(
        channels.invite, TIER_3, needed="channel", taken="users force", takes_json=True
    ),
    "conversations.kick": Method(channels.kick, TIER_3, needed="channel user", takes_json=True),
    "conversations.leave": Method(channels.leave, TIER_3, needed="channel", takes_json=True),
    "conversations.archive": Method(channels.archive, TIER_2, needed="channel", takes_json=True),
    "conversations.unarchive": Method(
        channels.unarchive, TIER_2, needed="channel", takes_json=True
    ),
    "conversations.rename": Method(
        channels.rename, TIER_2, needed="channel", taken="name", takes_json=True
    ),
    "conversations.setTopic": Method(
        channels.set_topic, TIER_2, needed="channel", taken="topic", takes_json=True
    ),
    "conversations.setPurpose": Method(
        channels.set_purpose, TIER_2, needed="channel", taken="purpose", takes_json=True
    ),
    "conversations.open": Method(
        channels.open_,
        TIER_3,
        "im:write",
        taken="channel users return_im prevent_creation",
        takes_json=True,
    ),
    "users.conversations": Method(
        conversations.of_user, TIER_3, taken=f"{PAGE} user types exclude_archived"
    ),
    "bookmarks.add": Method(
        extras.add_bookmark,
        TIER_2,
        "bookmarks:write",
        needed="channel_id title type",
        taken="link emoji entity_id parent_id",
        takes_json=True,
    ),
    "bookmarks.edit": Method(
        extras.edit_bookmark,
        TIER_2,
        "bookmarks:write",
        needed="channel_id bookmark_id",
        taken="title link emoji",
        takes_json=True,
    ),
    "bookmarks.list": Method(extras.list_bookmarks, TIER_3, "bookmarks:read", needed="channel_id"),
    "bookmarks.remove": Method(
        extras.remove_bookmark,
        TIER_2,
        "bookmarks:write",
        needed="channel_id bookmark_id",
        taken="quip_section_id",
        takes_json=True,
    ),
    "pins.add": Method(
        extras.add_pin, TIER_2, "pins:write", needed="channel timestamp", takes_json=True
    ),
    "pins.list": Method(extras.list_pins, TIER_2, "pins:read", needed="channel"),
    "pins.remove": Method(
        extras.remove_pin, TIER_2, "pins:write", needed="channel timestamp", takes_json=True
    ),
    "usergroups.list": Method(
        usergroups.list_,
        TIER_2,
        "usergroups:read",
        taken="include_disabled include_users include_count",
    ),
    "usergroups.create": Method(
        usergroups.create,
        TIER_2,
        "usergroups:write",
        needed="name",
        taken="handle description channels include_count",
        takes_json=True,
    ),
    "usergroups.update": Method(
        usergroups.update,
        TIER_2,
        "usergroups:write",
        needed="usergroup",
        taken="name handle description channels include_count",
        takes_json=True,
    ),
    "usergroups.enable": Method(
        usergroups.enable,
        TIER_2,
        "usergroups:write",
        needed="usergroup",
        taken="include_count",
        takes_json=True,
    ),
    "usergroups.disable": Method(
        usergroups.disable,
        TIER_2,
        "usergroups:write",
        needed="usergroup",
        taken="include_count",
        takes_json=True,
    ),
    "usergroups.users.list": Method(
        usergroups.list_users,
        TIER_2,
        "usergroups:read",
        needed="usergroup",
        taken="include_disabled",
    ),
    "usergroups.users.update": Method(
        usergroups.update_users,
        TIER_2,
        "usergroups:write",
        needed="usergroup",
        taken="users include_count",
        takes_json=True,
    ),
    "reactions.add": Method(not_built, TIER_3, "reactions:write", taken=ANYTHING, takes_json=True),
    "files.getUploadURLExternal": Method(not_built, TIER_3, "files:write", taken=ANYTHING),
    "files.completeUploadExternal": Method(
        not_built, TIER_3, "files:write", taken=ANYTHING, takes_json=True
    ),
}
