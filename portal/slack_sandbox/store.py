"""How does the sandbox's state survive a restart? One JSON file, replaced atomically."""

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .state import (
    Channel,
    Code,
    Installation,
    Message,
    Person,
    RefreshToken,
    ResponseURL,
    Switches,
    Token,
    Workspace,
    World,
)
from .surfaces import Trigger, UserGroup, View

FORMAT = 1
PIECE = 50  # messages that are written down in one go
COLLECTIONS: dict[str, type[Any]] = {
    "workspaces": Workspace,
    "people": Person,
    "channels": Channel,
    "installations": Installation,
    "tokens": Token,
    "refresh_tokens": RefreshToken,
    "codes": Code,
    "response_urls": ResponseURL,
    "triggers": Trigger,
    "views": View,
    "usergroups": UserGroup,
}


class UnreadableState(Exception):
    """The state file cannot be used; the message says where it was put aside."""


def encode(reading: Callable[[], AbstractContextManager[World]]) -> str:
    """The state as text, read in small pieces so that nobody waits long for the lock.

    What changes between two pieces asks for another save anyway.
    """
    with reading() as world:
        others = {key: value for key, value in vars(world).items() if key != "messages"}
        texts = [
            f"{json.dumps(key)}:{json.dumps(value, default=vars)}" for key, value in others.items()
        ]
        places = [(channel_id, ts) for channel_id, kept in world.messages.items() for ts in kept]
    kept_messages: list[str] = []
    for start in range(0, len(places), PIECE):
        with reading() as world:
            for channel_id, ts in places[start : start + PIECE]:
                if message := world.message(channel_id, ts):
                    name = json.dumps(f"{channel_id}/{ts}")
                    kept_messages.append(f"{name}:{json.dumps(vars(message))}")
    texts.append(f'"messages":{{{",".join(kept_messages)}}}')
    return f'{{"format":{FORMAT},"world":{{{",".join(texts)}}}}}'


def decode(text: str) -> World:
    """Raises ValueError, TypeError or KeyError on anything that `encode` did not write."""
    saved = json.loads(text)
    if saved["format"] != FORMAT:
        raise ValueError(f"format {saved['format']}, expected {FORMAT}")
    fields = dict(saved["world"])
    fields["switches"] = Switches(**fields["switches"])
    for name, kind in COLLECTIONS.items():
        fields[name] = {key: kind(**value) for key, value in fields.get(name, {}).items()}
    saved_messages = fields["messages"].values()
    fields["messages"] = {}
    for message in (Message(**each) for each in saved_messages):
        fields["messages"].setdefault(message.channel, {})[message.ts] = message
    return World(**fields)


def save(path: Path, text: str) -> None:
    """Replace the file in one step; readable by the owner only, since it holds tokens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def load(path: Path) -> World | None:
    """The saved world, None when there is none yet. An unreadable file is moved aside first."""
    if not path.exists():
        return None
    try:
        return decode(path.read_text())
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        aside = path.with_name(f"{path.name}.unreadable")
        os.replace(path, aside)
        raise UnreadableState(
            f"The sandbox's saved state {path} cannot be read ({problem}); it was kept as {aside} "
            "and the sandbox starts afresh."
        ) from problem
