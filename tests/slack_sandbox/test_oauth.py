"""Does linking work as it does with Slack, and is everything refused that Slack refuses?"""

from urllib.parse import parse_qs, urlsplit

import pytest
from portal.slack_sandbox import Sandbox
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from .conftest import CALLBACK, REQUIRED, Install, authorize_url, code_in


def exchange(sandbox: Sandbox, code: str, **changes: str) -> dict[str, object]:
    asked = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "code": code,
        "redirect_uri": CALLBACK,
    }
    client = WebClient(base_url=sandbox.api_url)
    try:
        answer = client.oauth_v2_access(**{**asked, **changes})
    except SlackApiError as refused:
        answer = refused.response
    assert isinstance(answer.data, dict)
    return answer.data


def test_the_state_comes_back_byte_for_byte(sandbox: Sandbox) -> None:
    callback = sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA")
    assert callback.startswith(f"{CALLBACK}?")
    assert parse_qs(urlsplit(callback).query)["state"] == ["a state/with=signs&more"]


def test_declining_calls_back_without_a_code(sandbox: Sandbox) -> None:
    callback = sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA", allow=False)
    answer = parse_qs(urlsplit(callback).query)
    assert answer["error"] == ["access_denied"]
    assert answer["state"] == ["a state/with=signs&more"]
    assert "code" not in answer


def test_the_exchange_names_workspace_bot_and_person(sandbox: Sandbox) -> None:
    callback = sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA")
    answer = exchange(sandbox, code_in(callback))
    assert answer["ok"] is True
    assert answer["team"] == {"id": "T0ACME", "name": "Acme"}
    assert answer["enterprise"] is None
    assert answer["is_enterprise_install"] is False
    assert answer["app_id"] == sandbox.app_id
    assert answer["authed_user"] == {"id": "U0OLIVIA"}
    assert "chat:write.public" in str(answer["scope"])


def test_a_workspace_of_an_organization_names_the_organization(sandbox: Sandbox) -> None:
    callback = sandbox.consent(authorize_url(sandbox), "T0GAMMA", "W0GRETA")
    answer = exchange(sandbox, code_in(callback))
    enterprise = answer["enterprise"]
    assert isinstance(enterprise, dict)
    assert enterprise["id"] == "E0GLOBEX"
    assert answer["authed_user"] == {"id": "W0GRETA"}


def test_a_code_works_once(sandbox: Sandbox) -> None:
    code = code_in(sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA"))
    assert exchange(sandbox, code)["ok"] is True
    assert exchange(sandbox, code)["error"] == "invalid_code"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "9.9"}, "invalid_client_id"),
        ({"redirect_uri": f"{CALLBACK}/other"}, "bad_redirect_uri"),
        ({"code": "invented"}, "invalid_code"),
    ],
)
def test_a_wrong_exchange_is_refused(sandbox: Sandbox, changes: dict[str, str], error: str) -> None:
    code = code_in(sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA"))
    assert exchange(sandbox, **{"code": code, **changes})["error"] == error


def test_installing_again_only_adds_scopes(sandbox: Sandbox, install: Install) -> None:
    first = install(scope=",".join([*REQUIRED, "groups:read"]))
    second = install(scope=",".join([*REQUIRED, "chat:write.public"]))
    granted = set(second.auth_test().headers["x-oauth-scopes"].split(","))
    assert granted == {*REQUIRED, "groups:read", "chat:write.public"}
    assert first.auth_test()["bot_id"] == second.auth_test()["bot_id"]


def test_after_uninstalling_the_old_token_stays_dead(sandbox: Sandbox, install: Install) -> None:
    old = install()
    old.apps_uninstall(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    new = install()
    assert new.auth_test()["ok"]
    assert new.token != old.token
    with pytest.raises(SlackApiError) as refused:
        old.auth_test()
    assert refused.value.response["error"] == "account_inactive"


def test_a_revoked_token_is_dead_and_a_dry_run_kills_nothing(slack: WebClient) -> None:
    assert slack.auth_revoke(test=True)["revoked"] is False
    assert slack.auth_test()["ok"]
    assert slack.auth_revoke()["revoked"] is True
    with pytest.raises(SlackApiError) as refused:
        slack.auth_test()
    assert refused.value.response["error"] in ("token_revoked", "account_inactive")
