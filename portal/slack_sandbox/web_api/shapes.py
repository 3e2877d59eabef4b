"""How do people, channels and messages look in an answer? Keys and types of the method reference."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..platform import Platform
from ..state import Channel, Installation, Message, Person, World

COLOURS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699")
ICON_SIZES = (36, 48, 72)


def user(person: Person, now: datetime, with_email: bool) -> dict[str, Any]:
    local = now.astimezone(ZoneInfo(person.tz))
    offset = local.utcoffset()
    return {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": COLOURS[sum(person.id.encode()) % len(COLOURS)],
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": local.tzname() or person.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": _profile(person, with_email),
        "is_admin": person.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": person.updated,
        "has_2fa": False,
    }


def _profile(person: Person, with_email: bool) -> dict[str, Any]:
    first, _, last = person.real_name.partition(" ")
    email = {"email": person.email} if with_email and person.email else {}
    return {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "first_name": first,
        "last_name": last,
        "title": "",
        "phone": "",
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": f"g{person.id.lower()}",
        "team": person.team_id,
        **email,
    }


def channel(found: Channel, bot_user_id: str, with_members: bool = False) -> dict[str, Any]:
    if found.is_im:
        return _direct(found)
    members = {"num_members": len(found.members)} if with_members else {}
    return {
        "id": found.id,
        "name": found.name,
        "name_normalized": found.name,
        "previous_names": found.previous_names,
        "created": found.created,
        "creator": found.creator,
        "is_channel": not found.is_private,
        "is_group": found.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": found.is_private,
        "is_archived": found.is_archived,
        "is_general": found.is_general,
        "is_member": bot_user_id in found.members,
        "is_shared": bool(found.shared_with),
        "is_ext_shared": bool(found.shared_with),
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "unlinked": 0,
        "topic": {"value": found.topic, "creator": "", "last_set": 0},
        "purpose": {"value": found.purpose, "creator": "", "last_set": 0},
        **members,
    }


def _direct(found: Channel) -> dict[str, Any]:
    return {
        "id": found.id,
        "created": found.created,
        "is_im": True,
        "is_archived": False,
        "is_org_shared": False,
        "user": found.user,
    }


def message(platform: Platform, world: World, found: Message) -> dict[str, Any]:
    """A message as answers, interactions and events carry it."""
    author = next((i for i in world.installations.values() if i.bot_id == found.bot_id), None)
    shape: dict[str, Any] = {
        "type": "message",
        "user": found.user,
        "ts": found.ts,
        "text": found.text,
        "team": found.team_id,
    }
    if author and found.bot_id:
        shape |= {
            "bot_id": author.bot_id,
            "app_id": platform.app.app_id,
            "bot_profile": bot_profile(platform, author),
        }
    for key in ("blocks", "attachments", "metadata", "thread_ts"):
        if getattr(found, key):
            shape[key] = getattr(found, key)
    if found.edited_at:
        shape["edited"] = {"user": found.user, "ts": f"{found.edited_at:.6f}"}
    return shape


def bot_profile(platform: Platform, author: Installation) -> dict[str, Any]:
    icon = f"{platform.url}/static/icon.svg"
    return {
        "id": author.bot_id,
        "app_id": platform.app.app_id,
        "name": platform.manifest.bot_name,
        "deleted": not author.is_active,
        "updated": int(author.installed_at),
        "team_id": author.team_id,
        "icons": {f"image_{size}": icon for size in ICON_SIZES},
    }
