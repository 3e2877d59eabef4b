"""What does the sandbox remember of modals, Home tabs and user groups? Plain data."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trigger:
    """A permission to open one modal, given with every interaction: three seconds, one use."""

    id: str
    installation_id: str
    team_id: str
    user: str
    expires_at: float
    view_id: str = ""  # the modal acted in; only then a view may be pushed onto it
    is_used: bool = False


@dataclass
class View:
    """A modal that is open at a person, or what the app published as their Home."""

    id: str
    team_id: str  # the workspace the person is in
    user: str
    installation_id: str
    hash: str
    content: dict[str, Any]  # as the app sent it, with the ids it left out
    values: dict[str, dict[str, Any]] = field(default_factory=dict)  # its state.values
    root_view_id: str = ""
    previous_view_id: str = ""
    errors: dict[str, str] = field(default_factory=dict)  # block_id: words at the field
    trouble: str = ""  # what Slack shows on top when the app failed

    @property
    def is_modal(self) -> bool:
        return self.content.get("type") == "modal"

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return list(self.content["blocks"])


@dataclass
class UserGroup:
    id: str
    team_id: str
    name: str
    handle: str
    description: str = ""
    created: int = 0
    updated: int = 0
    deleted_at: int = 0  # 0 while it is enabled
    created_by: str = ""
    channels: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
