"""Who is in the workspace? users.info, users.lookupByEmail, users.list, bots.info, team.info."""

from typing import Any

from ..state import Person
from . import shapes
from .call import Call, SlackError
from .pages import page


def _shape(call: Call, person: Person) -> dict[str, Any]:
    with_email = "users:read.email" in call.installation.scopes
    return shapes.user(person, call.platform.clock.today(), with_email)


def info(call: Call) -> dict[str, Any]:
    return {"user": _shape(call, call.person(call.text("user")))}


def lookup_by_email(call: Call) -> dict[str, Any]:
    """Ignores letter case; hides deactivated people; answers guests and external ones as such."""
    wanted = call.text("email").strip().casefold()
    for person in call.world.people_seen_from(call.workspace.id):
        if person.email and person.email.casefold() == wanted and not person.deleted:
            return {"user": _shape(call, person)}
    raise SlackError("users_not_found")


def list_(call: Call) -> dict[str, Any]:
    if call.world.switches.users_list_needs_limit and not call.has("limit"):
        raise SlackError("limit_required")
    people = sorted(call.world.people_seen_from(call.workspace.id), key=lambda each: each.id)
    answer = page(call, "members", people)
    answer["members"] = [_shape(call, each) for each in answer["members"]]
    return {**answer, "cache_ts": int(call.platform.clock.now())}


def bots_info(call: Call) -> dict[str, Any]:
    """A bot by its B… id; without one there is nothing to tell."""
    for person in call.world.people_seen_from(call.workspace.id):
        if person.is_bot and person.bot_id == call.text("bot"):
            own = call.installation
            mine = {"app_id": call.platform.app.app_id} if person.bot_id == own.bot_id else {}
            return {
                "bot": {
                    "id": person.bot_id,
                    "deleted": person.deleted,
                    "name": person.real_name,
                    "updated": person.updated,
                    "user_id": person.id,
                    "icons": {},
                    **mine,
                }
            }
    raise SlackError("bot_not_found")


def team_info(call: Call) -> dict[str, Any]:
    workspace = call.workspace
    enterprise = {}
    if workspace.enterprise_id:
        enterprise = {
            "enterprise_id": workspace.enterprise_id,
            "enterprise_name": workspace.enterprise_name,
        }
    return {
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {"image_default": True},
            **enterprise,
        }
    }
