"""How do we call Slack's Web API? The one way out: time-outs, no redirects of our own, one error."""

import http.client
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import requests
from flask import current_app
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from portal.settings import LOOPBACK
from portal.slack.errors import MEANINGS, Meaning, SlackError

TIMEOUT = 10  # seconds
IMPATIENT = 3  # seconds; for a mere question, which can be asked again
WITHOUT_RETRY_AFTER = 30  # seconds; the header may be missing or no number
NOT_ABOUT_SPEED = ("message_limit_exceeded",)  # what the workspace's plan allows
LONGEST_RETRY_AFTER = 24 * 60 * 60  # seconds; more than a day would be a mistake


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """A redirect then is an answer like any other that is not Slack's."""


class _Client(WebClient):
    """slack_sdk's client without its redirects: they would carry the token to any host.

    slack_sdk has no setting for it, so this replaces the one method that opens the URL.
    """

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        opener = build_opener(_NoRedirects, HTTPSHandler(context=self.ssl))
        with opener.open(req, timeout=self.timeout) as answer:
            body = answer.read().decode()
            return {"status": answer.status, "headers": answer.headers, "body": body}


def call(token: str | None, method: str, **arguments: Any) -> dict[str, Any]:
    """Call one Web API method and return Slack's answer. Raises SlackError, and nothing else.

    Never call it with a transaction open: Slack may take ten seconds to answer. A lost connection
    is not tried again here, because Slack may have carried out the first call.
    """
    return _call(method, token, **_as_slack_takes_them(method, arguments))


def answers(token: str) -> bool:
    """Whether Slack answers at all just now, whatever it says. auth.test changes nothing."""
    try:
        _call("auth.test", token, timeout=IMPATIENT)
    except SlackError as problem:
        return not problem.is_outage
    return True


def refresh(refresh_token: str) -> dict[str, Any]:
    """Trade a refresh token for a new pair of tokens. Raises SlackError."""
    answer = _as_client(grant_type="refresh_token", refresh_token=refresh_token)
    if not answer.get("access_token"):
        raise SlackError("no_access_token")
    return answer


def exchange(code: str) -> dict[str, Any]:
    """Ask for the token of a code, to see whether Slack knows us. Raises SlackError."""
    return _as_client(code=code)


def _as_client(**given: str) -> dict[str, Any]:
    config = current_app.config
    client = {
        "client_id": config["SLACK_CLIENT_ID"],
        "client_secret": config["SLACK_CLIENT_SECRET"],
    }
    return _call("oauth.v2.access", None, auth=client, params=given)


def _call(
    method: str, token: str | None, *, timeout: int | None = None, **given: Any
) -> dict[str, Any]:
    client = _Client(
        token=token,
        base_url=current_app.config["SLACK_API_URL"],
        timeout=timeout or TIMEOUT,
        retry_handlers=[],
    )
    try:
        answer = client.api_call(method, **given)
    except SlackApiError as problem:
        raise _understood(problem.response) from None  # its text may hold the whole answer
    except TimeoutError as problem:
        raise SlackError("timeout") from problem
    except (OSError, http.client.HTTPException) as problem:
        raise SlackError("unreachable") from problem
    except (SlackClientError, ValueError, AttributeError) as problem:
        # slack_sdk takes every JSON for an object, and trips over a list.
        raise SlackError("not_json") from problem
    return (
        {**answer.data, "_scopes": _scopes(answer.headers)} if isinstance(answer.data, dict) else {}
    )


def respond(response_url: str, message: dict[str, Any]) -> None:
    """Answer a click or a command with a message as response_urls take it. Raises SlackError.

    The URL comes from outside: only the listed hosts, only https (loopback in development), and no
    redirects (slack.md section 8).
    """
    if not may_respond_to(response_url):
        raise SlackError("response_url_refused")
    try:
        answer = requests.post(response_url, json=message, timeout=TIMEOUT, allow_redirects=False)
    except requests.Timeout as problem:
        raise SlackError("timeout") from problem
    except requests.RequestException as problem:
        raise SlackError("unreachable") from problem
    if answer.status_code != 200:
        raise SlackError("response_url_gone")


def may_respond_to(response_url: str) -> bool:
    """Whether a response_url names one of SLACK_RESPONSE_HOSTS and nothing cleverer."""
    try:
        url = urlsplit(response_url)
        port = url.port
    except ValueError:
        return False
    if url.username is not None or url.password is not None or "\\" in response_url:
        return False
    hosts = current_app.config["SLACK_RESPONSE_HOSTS"]
    if url.hostname in LOOPBACK:
        return current_app.config["APP_ENV"] == "development" and url.netloc in hosts
    return url.scheme == "https" and port is None and url.hostname in hosts


# Methods that read take forms; Slack ignores a JSON body there (slack.md 4.1).
JSON_METHODS = ("chat.", "views.")


def _as_slack_takes_them(method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in arguments.items() if value is not None}
    return {"json": given} if method.startswith(JSON_METHODS) else {"params": given}


def _understood(response: Any) -> SlackError:
    data = response.data if isinstance(response.data, dict) else {}
    headers = {name.lower(): value for name, value in (response.headers or {}).items()}
    code = str(data.get("error") or "not_json")
    if response.status_code == 429 or MEANINGS.get(code) is Meaning.ASKED_TO_WAIT:
        return SlackError(
            code if code in NOT_ABOUT_SPEED else "ratelimited",
            retry_after=_seconds(headers.get("retry-after")),
            scopes=_scopes(headers),
        )
    if code.startswith("Received a response in a non-JSON format"):
        code = "not_json"
    if response.status_code >= 500:
        code = f"http_{response.status_code}"
    # A missing scope is named in the answer too, should the header be lost on the way.
    provided = data.get("provided") if code == "missing_scope" else None
    return SlackError(code, scopes=_scopes(headers) or _listed(provided), each=data.get("errors"))


def _seconds(retry_after: object) -> int:
    text = str(retry_after or "").strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(int(text), LONGEST_RETRY_AFTER) if is_number else WITHOUT_RETRY_AFTER


def _scopes(headers: Any) -> list[str]:
    found = {name.lower(): value for name, value in (headers or {}).items()}
    return _listed(found.get("x-oauth-scopes"))


def _listed(scopes: object) -> list[str]:
    return [scope.strip() for scope in str(scopes or "").split(",") if scope.strip()]
