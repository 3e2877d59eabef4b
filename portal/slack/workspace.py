"""How do we speak to Slack for an account? With a token that is good, and listening to what every
answer says about the link."""

from dataclasses import replace
from typing import Any

from portal.db import now
from portal.slack import gateway, link_state, rotation
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials


def call(credentials: Credentials, method: str, **arguments: Any) -> dict[str, Any]:
    """Call a Web API method for the account. Raises SlackError, and nothing else.

    Never call it with a transaction open. Nothing is sent while the link is broken, also by a job
    that began before (`link_broken`). A dead token is confirmed by auth.test before it breaks the
    link; where that is not confirmed, the error counts as temporary.
    """
    return call_at_once(link_state.newest(credentials), method, **arguments)


def call_at_once(credentials: Credentials, method: str, **arguments: Any) -> dict[str, Any]:
    """The same with credentials that were read just now, of a link that worked: the lanes, which
    read it before each call, need not read it twice."""
    if rotation.ends_soon(credentials):
        credentials = rotation.fresh(credentials)
    try:
        return _call(credentials, method, arguments)
    except SlackError as problem:
        if problem.code != "token_expired":
            raise
    newest = rotation.fresh(replace(credentials, expires_at=now()))  # whatever our clock says
    if newest.token == credentials.token:  # an app without rotation
        _require_dead(credentials, "token_expired")
        raise SlackError("token_expired")
    return _call(newest, method, arguments)


def _call(credentials: Credentials, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = gateway.call(credentials.token, method, **arguments)
    except SlackError as problem:
        link_state.note_scopes(credentials, problem.scopes)
        if problem.meaning is Meaning.LINK_DEAD and problem.code != "token_expired":
            _require_dead(credentials, problem.code)
        raise
    link_state.note_scopes(credentials, answer.pop("_scopes", ()))
    return answer


def _require_dead(credentials: Credentials, code: str) -> None:
    if not link_state.is_dead(credentials, code):
        raise SlackError("dead_token_not_confirmed")
