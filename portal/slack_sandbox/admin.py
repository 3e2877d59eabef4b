"""What can an administrator do in the pretend Slack? One function per operation, one table."""

from collections.abc import Callable
from typing import Any

from . import channels, events, installations
from .faults import Fault
from .lookups import Impossible, installation_of, person_of, workspace_of
from .platform import Platform
from .state import Person


def deactivate(platform: Platform, user: str) -> None:
    """The person cannot sign in any more and is in no channel."""
    with platform.changing() as world:
        person = person_of(world, user)
        person.deleted = True
        for channel in world.channels.values():
            channel.members = [each for each in channel.members if each != user]
        events.person_changed(platform, person)


def reactivate(platform: Platform, user: str) -> None:
    with platform.changing() as world:
        person = person_of(world, user)
        person.deleted = False
        events.person_changed(platform, person)


def change_email(platform: Platform, user: str, email: str) -> None:
    with platform.changing() as world:
        person = person_of(world, user)
        person.email = email
        events.person_changed(platform, person)


def rename_person(platform: Platform, user: str, real_name: str) -> None:
    with platform.changing() as world:
        person = person_of(world, user)
        if not real_name.strip():
            raise Impossible("A person needs a name.")
        person.real_name = real_name.strip()
        events.person_changed(platform, person)


def add_person(
    platform: Platform, team_id: str, real_name: str, email: str = "", tz: str = "Europe/Berlin"
) -> dict[str, Any]:
    """Somebody joins the workspace; returns their id."""
    with platform.changing() as world:
        workspace_of(world, team_id)
        if not real_name.strip():
            raise Impossible("A person needs a name.")
        letter = "W" if world.workspaces[team_id].enterprise_id else "U"
        made = Person(
            f"{letter}{world.epoch:02}{world.count('person'):08}",
            team_id,
            real_name.strip().lower().replace(" ", "."),
            real_name.strip(),
            email,
            tz,
        )
        world.people[made.id] = made
        events.person_changed(platform, made, "team_join")
        return {"id": made.id}


def make_guest(platform: Platform, user: str, single_channel: bool = False) -> None:
    with platform.changing() as world:
        person = person_of(world, user)
        person.is_admin, person.is_restricted = False, True
        person.is_ultra_restricted = single_channel
        events.person_changed(platform, person)


def rename_workspace(platform: Platform, team_id: str, name: str) -> None:
    with platform.changing() as world:
        workspace = workspace_of(world, team_id)
        if not name.strip():
            raise Impossible("A workspace needs a name.")
        workspace.name = name.strip()
        events.announce(platform, team_id, {"type": "team_rename", "name": workspace.name})


def change_domain(platform: Platform, team_id: str, domain: str) -> None:
    with platform.changing() as world:
        workspace = workspace_of(world, team_id)
        if any(each.domain == domain for each in world.workspaces.values()):
            raise Impossible(f"The domain {domain} is taken.")
        if not channels.NAME.fullmatch(domain):
            raise Impossible("A domain has lower-case letters, digits and hyphens.")
        workspace.domain = domain
        event = {
            "type": "team_domain_change",
            "domain": domain,
            "url": f"https://{domain}.slack.com",
        }
        events.announce(platform, team_id, event)


def migrate(
    platform: Platform,
    team_id: str,
    seconds: float = 60.0,
    error: str = "team_added_to_org",
    enterprise_id: str = "E0GLOBEX",
) -> None:
    """The workspace moves into an organization; until it is there every call answers `error`."""
    with platform.changing() as world:
        workspace = workspace_of(world, team_id)
        workspace.enterprise_id, workspace.enterprise_name = enterprise_id, "Globex"
        for own in world.installations.values():
            own.enterprise_id = enterprise_id if own.team_id == team_id else own.enterprise_id
        event = {"enterprise_id": enterprise_id}
        events.announce(platform, team_id, {"type": "grid_migration_started", **event})
        end = {"type": "grid_migration_finished", **event}
        events.announce(platform, team_id, end, after=seconds)
    platform.faults.add(Fault("error", team_id=team_id, error=error, for_seconds=seconds))


def require_approval(platform: Platform, team_id: str, required: bool = True) -> None:
    with platform.changing() as world:
        workspace_of(world, team_id).approval_required = required


def uninstall(platform: Platform, team_id: str) -> None:
    """An admin removes the app; calls answer `account_inactive` from now on."""
    with platform.changing() as world:
        installations.end(platform, installation_of(world, team_id), "account_inactive")


def revoke(platform: Platform, team_id: str) -> None:
    """An admin revokes the token; calls answer `token_revoked` from now on."""
    with platform.changing() as world:
        installations.end(platform, installation_of(world, team_id), "token_revoked")


def take_scope(platform: Platform, team_id: str, scope: str) -> None:
    """The tokens lose a scope; headers and answers follow. Slack sends no event for this."""
    with platform.changing() as world:
        own = installation_of(world, team_id)
        if scope not in own.scopes:
            raise Impossible(f"The app has no scope {scope} there.")
        own.scopes = [each for each in own.scopes if each != scope]


def switch(platform: Platform, **values: Any) -> None:
    """Set switches by name; see `state.Switches`."""
    with platform.changing() as world:
        for name, value in values.items():
            if not hasattr(world.switches, name):
                raise Impossible(f"There is no switch {name}.")
            setattr(world.switches, name, value)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "create": channels.create,
    "rename": channels.rename,
    "archive": channels.archive,
    "unarchive": channels.unarchive,
    "delete": channels.delete,
    "convert_to_private": channels.convert_to_private,
    "change_id": channels.change_id,
    "restrict_posting": channels.restrict_posting,
    "share": channels.share,
    "invite": channels.invite,
    "remove": channels.remove,
    "edit_message": channels.edit_message,
    "delete_message": channels.delete_message,
    "deactivate": deactivate,
    "reactivate": reactivate,
    "change_email": change_email,
    "rename_person": rename_person,
    "add_person": add_person,
    "make_guest": make_guest,
    "rename_workspace": rename_workspace,
    "change_domain": change_domain,
    "migrate": migrate,
    "require_approval": require_approval,
    "uninstall": uninstall,
    "revoke": revoke,
    "take_scope": take_scope,
    "switch": switch,
}
