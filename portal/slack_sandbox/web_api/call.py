"""What does one Web API call carry, and how are its arguments read?"""

import json
from dataclasses import dataclass
from typing import Any

from ..platform import Platform
from ..state import Channel, Installation, Person, Token, Workspace, World
from ..text import is_true


class SlackError(Exception):
    """The call is refused with one of Slack's error codes, and what comes beside it."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


class RateLimited(Exception):
    """The call came too early; HTTP 429 with `Retry-After`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


@dataclass
class Call:
    """One call after its body was read; handlers get it and answer a dict without `ok`."""

    platform: Platform
    method: str
    arguments: dict[str, Any]
    token: Token | None = None
    caller: Installation | None = None
    basic: tuple[str, str] | None = None  # client id and secret of the Authorization header

    @property
    def world(self) -> World:
        return self.platform.world

    @property
    def installation(self) -> Installation:
        if self.caller is None:
            raise SlackError("not_authed")
        return self.caller

    @property
    def workspace(self) -> Workspace:
        """The workspace spoken in; an organization's token has to name it."""
        team_id = self.installation.team_id or self.text("team_id")
        workspace = self.world.workspaces.get(team_id)
        if workspace is None or not self._reaches(workspace):
            raise SlackError("team_access_not_granted" if team_id else "missing_argument")
        return workspace

    def _reaches(self, workspace: Workspace) -> bool:
        own = self.installation
        return workspace.id == own.team_id or workspace.enterprise_id == own.enterprise_id != ""

    def violation(self, rule: str, detail: str) -> None:
        self.platform.violation(rule, detail, self.method)

    def has(self, name: str) -> bool:
        return self.arguments.get(name) is not None

    def text(self, name: str) -> str:
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        return is_true(self.arguments[name]) if self.has(name) else default

    def nested(self, name: str, error: str, kind: type) -> Any:
        """A list or object: JSON text in forms, itself in JSON bodies. None when left out."""
        value = self.arguments.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value) if value else None
            except ValueError:
                raise SlackError(error) from None
        if value is not None and not isinstance(value, kind):
            raise SlackError(error)
        return value

    def listed(self, name: str) -> list[str]:
        """A comma-separated list; JSON bodies may hold a real one."""
        value = self.arguments.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def needs(self, *scopes: str) -> None:
        """Refuse unless the token has one of the scopes."""
        if not any(scope in self.installation.scopes for scope in scopes):
            provided = ",".join(self.installation.scopes)
            raise SlackError("missing_scope", needed=scopes[0], provided=provided)

    def channel(self, name: str = "channel") -> Channel:
        """The channel named, if the app may know of it: private ones only as a member."""
        found = self.world.channels.get(self.text(name))
        if found is None or not self.sees(found):
            raise SlackError("channel_not_found")
        return found

    def sees(self, channel: Channel) -> bool:
        teams = [channel.team_id, *channel.shared_with]
        reached = (self._reaches(self.world.workspaces[team_id]) for team_id in teams)
        return any(reached) and (not channel.is_private or self.is_member(channel))

    def is_member(self, channel: Channel) -> bool:
        return self.installation.bot_user_id in channel.members

    def person(self, user_id: str, error: str = "user_not_found") -> Person:
        """A person of the workspace, or an external one in a shared channel of it."""
        for person in self.world.people_seen_from(self.workspace.id):
            if person.id == user_id:
                return person
        raise SlackError(error)
