"""How does an admin allow our Slack app? The way to Slack, and what its answer means."""

import json
from datetime import timedelta
from typing import Any

import requests
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, current_app, session
from sqlalchemy import delete

from portal.db import db, now
from portal.domain.accounts.models import SignIn, User
from portal.domain.accounts.permissions import Permission
from portal.domain.accounts.secrets import token_hash
from portal.errors import Conflict, Invalid
from portal.slack import installations, scopes
from portal.slack.installations import OAuthState

NAME = "slack_install"
LASTS = timedelta(minutes=10)  # as long as Slack's code
NOT_VALID = "This authorization is no longer valid. Sign in and start again with Authorize."


class ExchangeRefused(Exception):
    """Slack did not give a token; `code` is Slack's, or unreachable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def init_app(app: Flask) -> None:
    """Register the Slack app with Authlib; a registry per portal, since Authlib keeps its clients."""
    registry = OAuth(app)
    app.extensions[NAME] = registry.register(  # type: ignore[no-untyped-call]
        NAME,
        client_id=app.config["SLACK_CLIENT_ID"],
        client_secret=app.config["SLACK_CLIENT_SECRET"],
        authorize_url=app.config["SLACK_AUTHORIZE_URL"],
        access_token_url=app.config["SLACK_API_URL"] + "oauth.v2.access",
        # A redirect would carry the code, and the client's secret, to any host.
        access_token_params={"allow_redirects": False},
        client_kwargs={
            "scope": ",".join(scopes.ALL),  # a string goes out as it is: Slack wants commas
            "token_endpoint_auth_method": "client_secret_basic",
            "default_timeout": 10,
        },
        compliance_fix=_speak_slack,
    )


def start(*, by: User, sign_in: SignIn, callback_url: str) -> str:
    """Return the URL at Slack where the admin allows the app.

    The state is stored for ten minutes, bound to person, account and this sign-in.
    """
    by.require(Permission.MANAGE_CONNECTORS)
    client = current_app.extensions[NAME]
    if not client.client_id:
        raise Conflict(
            "No Slack app is configured yet. Run “tocsin doctor” to see what is missing."
        )
    installation = installations.of_account(by.account_id)
    pinned = {"team": installation.team_id} if installation else {}
    going = client.create_authorization_url(callback_url, **pinned)
    _forget_old_states(client)
    client.save_authorize_data(redirect_uri=callback_url, **going)
    db.session.execute(delete(OAuthState).where(OAuthState.expires_at < now()))
    db.session.add(
        OAuthState(
            state_hash=token_hash(going["state"]),
            user_id=by.id,
            account_id=by.account_id,
            sign_in_id=sign_in.id,
            expires_at=now() + LASTS,
        )
    )
    db.session.commit()
    return str(going["url"])


def consume(state: str, *, by: User, sign_in: SignIn) -> None:
    """Use up the state; of two callbacks at once one wins. Raises Invalid, and it is gone anyway."""
    used = delete(OAuthState).where(OAuthState.state_hash == token_hash(state))
    found = db.session.execute(used.returning(OAuthState)).scalar_one_or_none()
    fits = found is not None and (
        found.user_id == by.id
        and found.account_id == by.account_id
        and found.sign_in_id == sign_in.id
        and found.expires_at > now()
        and f"_state_{NAME}_{state}" in session
    )
    db.session.commit()
    if not fits:
        raise _not_valid()


def exchange(state: str) -> dict[str, Any]:
    """Trade the callback's code for Slack's answer (oauth.v2.access). Raises ExchangeRefused."""
    client = current_app.extensions[NAME]
    try:
        return dict(client.authorize_access_token())
    except OAuthError as problem:
        raise ExchangeRefused(str(problem.error)) from None  # its text may name the code
    except (requests.RequestException, ValueError):
        raise ExchangeRefused("unreachable") from None
    finally:  # ?error= would leave the state behind, to be used again
        client.framework.clear_state_data(session, state)


def _not_valid() -> Invalid:
    refused = Invalid(NOT_VALID)
    refused.status = 400
    return refused


def _forget_old_states(client: Any) -> None:
    """Unfinished authorizations would pile up in the cookie; only the newest one counts."""
    for name in [name for name in session if name.startswith(f"_state_{NAME}_")]:
        session.pop(name)


def _speak_slack(client: Any) -> None:
    """Slack says no with HTTP 200 and {"ok": false}; Authlib has to be told."""
    client.register_compliance_hook("access_token_response", _understood)


def _understood(response: requests.Response) -> requests.Response:
    if response.status_code == 429:
        raise OAuthError("ratelimited")
    try:
        answer = response.json()
    except ValueError:
        raise OAuthError("invalid_response") from None
    if response.status_code != 200 or not isinstance(answer, dict):  # Slack's own noes are a 200
        raise OAuthError("invalid_response")
    if answer.get("ok") is not True:
        raise OAuthError(str(answer.get("error") or "unknown_error"))
    if answer.get("token_type") in ("bot", "user"):  # a type that Authlib cannot sign with
        answer["token_type"] = "Bearer"  # noqa: S105
        response._content = json.dumps(answer).encode()
    return response
