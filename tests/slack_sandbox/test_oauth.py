"""Does linking work as it does with Slack, and is everything refused that Slack refuses?"""

import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.oauth import Refused

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


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "9.9"}, "invalid_client_id"),
        ({"scope": "chat:write,hologram"}, "invalid_scope"),
        ({"scope": "channels:manage"}, "invalid_scope"),
        ({"user_scope": "chat:write"}, "invalid_scope"),
        ({"redirect_uri": "http://elsewhere.example/callback"}, "bad_redirect_uri"),
        ({"redirect_uri": f"{CALLBACK}/below"}, "bad_redirect_uri"),
    ],
)
def test_a_wrong_question_is_shown_by_slack_itself(
    sandbox: Sandbox, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as shown:
        urllib.request.urlopen(authorize_url(sandbox, **changes))
    with shown.value:
        assert code in shown.value.read().decode()


def test_an_address_below_the_registered_one_is_taken_where_slack_is_not_strict(
    sandbox: Sandbox,
) -> None:
    sandbox.admin("switch", exact_redirect_uri=False)
    below = authorize_url(sandbox, redirect_uri=f"{CALLBACK}/below")
    assert sandbox.consent(below).startswith(f"{CALLBACK}/below?")
    beside = authorize_url(sandbox, redirect_uri=f"{CALLBACK}-other")
    with pytest.raises(Refused, match="bad_redirect_uri"):
        sandbox.consent(beside)


def test_an_app_that_is_not_distributed_stays_at_home(sandbox: Sandbox) -> None:
    sandbox.admin("switch", distributed=False)
    assert "code=" in sandbox.consent(authorize_url(sandbox), "T0ACME", "U0OLIVIA")
    with pytest.raises(Refused, match="invalid_team_for_non_distributed_app"):
        sandbox.consent(authorize_url(sandbox), "T0BETA", "U0BEA")


def test_where_admins_have_to_approve_nobody_calls_back(sandbox: Sandbox) -> None:
    sandbox.admin("require_approval", team_id="T0ACME")
    assert sandbox.consent(authorize_url(sandbox)) == ""


def test_a_whole_organization_has_no_workspace(sandbox: Sandbox) -> None:
    callback = sandbox.consent(
        authorize_url(sandbox), "T0GAMMA", "W0GRETA", whole_organization=True
    )
    answer = exchange(sandbox, code_in(callback))
    assert answer["team"] is None
    assert answer["enterprise"] == {"id": "E0GLOBEX", "name": "Globex"}
    assert answer["is_enterprise_install"] is True


def test_the_app_leaves_every_channel_when_it_goes(sandbox: Sandbox, install: Install) -> None:
    slack = install()
    sandbox.admin("invite", channel="C0OPS")
    bot = slack.auth_test()["user_id"]
    assert bot in sandbox.platform.world.channels["C0OPS"].members
    slack.auth_revoke()
    assert bot not in sandbox.platform.world.channels["C0OPS"].members
    again = install()
    assert again.conversations_info(channel="C0OPS")["channel"]["is_member"] is False


def test_installing_again_can_give_a_fresh_token_beside_the_old_one(
    sandbox: Sandbox, install: Install
) -> None:
    first = install()
    assert install().token == first.token
    sandbox.admin("switch", fresh_token_on_reinstall=True)
    fresh = install()
    assert fresh.token != first.token
    assert fresh.auth_test()["ok"]
    assert first.auth_test()["ok"]
