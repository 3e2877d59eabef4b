"""What happens when a person sends a line that starts with a slash?"""

import json
import re
from typing import Any
from urllib.parse import urlencode

from . import messages, posting, response_urls
from .delivery import send
from .journal import Delivery
from .payloads import VERIFICATION, NotThere, channel_name, response_url, trigger
from .platform import Platform
from .state import Channel, Installation, Message, Person, World
from .web_api.call import Call, RateLimited, SlackError

FAILURES = {
    "operation_timeout": "operation_timeout",
    "http_error": "dispatch_failed",
    "connection_failed": "dispatch_failed",
}
_URL = re.compile(r"https?://[^\s<>|]+")
_CHANNEL = re.compile(r"(?<![\w&])#([a-z0-9_-]{1,80})\b")


def run(
    platform: Platform,
    team_id: str,
    user_id: str,
    channel_id: str,
    command: str,
    text: str = "",
    thread_ts: str = "",
) -> Delivery:
    """Deliver one of the manifest's commands, and show its answer, or what Slack says without one.

    Raises NotThere, with Slack's words, for a command that there is not, and in threads.
    """
    with platform.changing() as world:
        person, channel = world.people[user_id], world.channels[channel_id]
        own = _installation(platform, world, team_id, command)
        if thread_ts:
            raise NotThere(f"{command} is not supported in threads. Sorry!")
        if person.id not in channel.members:
            raise NotThere(f"Join #{channel.name} to use commands there.")
        declared, line = platform.manifest.commands[command], f"{command} {text}".strip()
        if declared.get("should_escape"):
            text = escaped(text, world, person, team_id)
        fields = _fields(platform, world, own, person, channel, team_id)
        fields |= {"command": command, "text": text}
    body = urlencode(fields).encode()
    delivery = send(platform, "command", declared["url"], body, fields)
    with platform.changing():
        _show(platform, own, person, channel, line, delivery)
    return delivery


def offered(platform: Platform, world: World, team_id: str) -> list[dict[str, Any]]:
    """The commands that exist in a workspace: none before the app is in it."""
    own = world.installation_for(team_id)
    if own is None or "commands" not in own.scopes:
        return []
    return list(platform.manifest.commands.values())


def _installation(platform: Platform, world: World, team_id: str, command: str) -> Installation:
    own = world.installation_for(team_id)
    known = [each["command"] for each in offered(platform, world, team_id)]
    if own is None or command not in known:
        raise NotThere(
            f"{command} is not a valid command. In Slack, all messages that start with the “/”"
            " character are interpreted as commands. If you are trying to send a message and not"
            " run a command, try preceding the “/” with an empty space."
        )
    return own


def _fields(
    platform: Platform,
    world: World,
    own: Installation,
    person: Person,
    channel: Channel,
    team_id: str,
) -> dict[str, str]:
    """Slack docs: implementing slash commands; without command and text."""
    workspace = world.workspaces[team_id]
    grid = {"enterprise_id": workspace.enterprise_id, "enterprise_name": workspace.enterprise_name}
    return {
        "token": VERIFICATION,
        "team_id": workspace.id,
        "team_domain": workspace.domain,
        **(grid if workspace.enterprise_id else {}),
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": person.id,
        "user_name": person.name,
        "api_app_id": platform.app.app_id,
        "is_enterprise_install": "true" if own.is_enterprise_install else "false",
        "response_url": response_url(platform, world, own, person.id, channel, kind="commands"),
        "trigger_id": trigger(platform, world, own, person.id, team_id),
    }


def escaped(text: str, world: World, person: Person, team_id: str) -> str:
    """What `should_escape` makes of a command's text: people, channels and links in <...>.

    A private channel that the person sees travels with an empty label.
    """
    channels = {
        each.name: f"<#{each.id}|{'' if each.is_private else each.name}>"
        for each in world.channels.values()
        if each.is_seen_from(team_id) and (not each.is_private or person.id in each.members)
    }
    text = posting.escaped(text, world, team_id)
    text = _CHANNEL.sub(lambda found: channels.get(found[1], found[0]), text)
    return _URL.sub(lambda found: f"<{found[0]}>", text)


def _show(
    platform: Platform,
    own: Installation,
    person: Person,
    channel: Channel,
    line: str,
    delivery: Delivery,
) -> None:
    """Show the answer in the 200, or that there was none. Call it with the lock held."""
    if delivery.verdict != "ok":
        words = f"{line.split()[0]} failed with the error “{FAILURES[delivery.verdict]}”"
        _tell(platform, own, person, channel, words)
        return
    arguments = _arguments(delivery.answer)
    if arguments is None:
        return
    call = Call(platform, "response_url", arguments, caller=own)
    if call.text("response_type") == "in_channel":
        posting.echo(platform, person, channel, line)
    try:
        content = messages.read(call, parse_default="none", sums_texts=False)
        if not content.is_empty:
            response_urls.post(call, person.id, None, content, channel)
    except SlackError as problem:
        _refuse(platform, own, person, channel, line, f"Slack refuses the answer: {problem.code}")
    except RateLimited:
        _refuse(platform, own, person, channel, line, "Slack limits how often one may post here")


def _arguments(answer: str) -> dict[str, Any] | None:
    """The answer as a message: JSON, else plain text; None when there is nothing to say."""
    if not answer.strip():
        return None
    try:
        sent = json.loads(answer)
    except ValueError:
        return {"text": answer}
    return sent if isinstance(sent, dict) else {"text": answer}


def _refuse(
    platform: Platform,
    own: Installation,
    person: Person,
    channel: Channel,
    line: str,
    problem: str,
) -> None:
    platform.violation("command_answer_refused", f"{line}: {problem}")
    words = f"{line.split()[0]} failed with the error “dispatch_failed”"
    _tell(platform, own, person, channel, words)


def _tell(
    platform: Platform, own: Installation, person: Person, channel: Channel, words: str
) -> None:
    """Say it to this person only, as Slack itself does. Author is the pretend Slack."""
    message = Message(channel.id, platform.next_ts(), own.team_id or channel.team_id, "Slackbot")
    message.text, message.ephemeral_for = words, person.id
    platform.keep(message)
