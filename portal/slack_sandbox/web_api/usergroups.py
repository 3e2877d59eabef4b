"""Which user groups are there, and who is in them? usergroups.* with Slack's refusals."""

from typing import Any

from ..surfaces import UserGroup
from .call import Call, SlackError


def list_(call: Call) -> dict[str, Any]:
    _check_plan(call)
    groups = [
        each
        for each in call.world.usergroups.values()
        if each.team_id == call.workspace.id
        and (not each.deleted_at or call.flag("include_disabled"))
    ]
    return {"usergroups": [_shape(each, call.flag("include_users")) for each in groups]}


def create(call: Call) -> dict[str, Any]:
    _check_changes(call)
    name, handle = call.text("name"), call.text("handle") or call.text("name").lower()
    _check_names(call, name, handle)
    now = int(call.platform.clock.now())
    made = UserGroup(
        id=f"S{call.world.epoch:02}{call.world.count('usergroup'):08}",
        team_id=call.workspace.id,
        name=name,
        handle=handle,
        description=call.text("description"),
        created=now,
        updated=now,
        created_by=call.installation.bot_user_id,
        channels=call.listed("channels"),
    )
    call.world.usergroups[made.id] = made
    return {"usergroup": _shape(made)}


def update(call: Call) -> dict[str, Any]:
    group = _changed(call)
    name, handle = call.text("name") or group.name, call.text("handle") or group.handle
    _check_names(call, name, handle, group.id)
    group.name, group.handle = name, handle
    if call.has("description"):
        group.description = call.text("description")
    if call.has("channels"):
        group.channels = call.listed("channels")
    return {"usergroup": _shape(group)}


def enable(call: Call) -> dict[str, Any]:
    group = _changed(call)
    if not group.deleted_at:
        raise SlackError("already_enabled")
    group.deleted_at = 0
    return {"usergroup": _shape(group)}


def disable(call: Call) -> dict[str, Any]:
    group = _changed(call)
    if group.deleted_at:
        raise SlackError("already_disabled")
    group.deleted_at = int(call.platform.clock.now())
    return {"usergroup": _shape(group)}


def list_users(call: Call) -> dict[str, Any]:
    _check_plan(call)
    group = _named(call)
    if group.deleted_at and not call.flag("include_disabled"):
        raise SlackError("no_such_subteam")
    return {"users": group.users}


def update_users(call: Call) -> dict[str, Any]:
    """Replace everybody in a group. It can never be empty; guests and bots are refused."""
    group, users = _changed(call), list(dict.fromkeys(call.listed("users")))
    if not users:
        raise SlackError("no_users_provided")
    people = call.world.people
    wrong = [
        each
        for each in users
        if each not in people
        or people[each].team_id != call.workspace.id
        or people[each].deleted
        or people[each].is_bot
        or people[each].is_guest
    ]
    if wrong:
        raise SlackError("invalid_users", errors=wrong)
    group.users = users
    return {"usergroup": _shape(group, with_users=True)}


def _check_plan(call: Call) -> None:
    if not call.world.switches.usergroups_plan:
        raise SlackError("plan_upgrade_required")


def _check_changes(call: Call) -> None:
    """A bot may change groups only where the workspace lets everyone."""
    _check_plan(call)
    if not call.world.switches.usergroups_permitted:
        raise SlackError("permission_denied")


def _named(call: Call) -> UserGroup:
    group = call.world.usergroups.get(call.text("usergroup"))
    if group is None or group.team_id != call.workspace.id:
        raise SlackError("no_such_subteam")
    return group


def _changed(call: Call) -> UserGroup:
    _check_changes(call)
    group = _named(call)
    group.updated = int(call.platform.clock.now())
    return group


def _check_names(call: Call, name: str, handle: str, own_id: str = "") -> None:
    groups = call.world.usergroups.values()
    others = [g for g in groups if g.team_id == call.workspace.id and g.id != own_id]
    if any(each.name == name for each in others):
        raise SlackError("name_already_exists")
    if any(each.handle == handle for each in others):
        raise SlackError("handle_already_exists")


def _shape(group: UserGroup, with_users: bool = False) -> dict[str, Any]:
    return {
        "id": group.id,
        "team_id": group.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": group.description,
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.deleted_at,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": group.created_by,
        "updated_by": group.created_by,
        "deleted_by": group.created_by if group.deleted_at else None,
        "prefs": {"channels": group.channels, "groups": []},
        "user_count": len(group.users),
        "channel_count": len(group.channels),
        **({"users": group.users} if with_users else {}),
    }
