"""Do tokens that rotate live, die and come anew as Slack says?"""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import CALLBACK, authorize_url, code_in

TWELVE_HOURS = 43_200


@pytest.fixture
def rotating(sandbox: Sandbox) -> Sandbox:
    sandbox.clock(freeze=1_800_000_000.0)
    sandbox.admin("switch", token_rotation=True)
    return sandbox


def exchange_code(sandbox: Sandbox) -> dict[str, Any]:
    callback = sandbox.consent(authorize_url(sandbox))
    return _access(sandbox, code=code_in(callback), redirect_uri=CALLBACK)


def refresh(sandbox: Sandbox, refresh_token: str) -> dict[str, Any]:
    return _access(sandbox, grant_type="refresh_token", refresh_token=refresh_token)


def _access(sandbox: Sandbox, **arguments: str) -> dict[str, Any]:
    answer = WebClient(base_url=sandbox.api_url, retry_handlers=[]).oauth_v2_access(
        client_id=sandbox.client_id, client_secret=sandbox.client_secret, **arguments
    )
    assert isinstance(answer.data, dict)
    return answer.data


def error(sandbox: Sandbox, token: str) -> str:
    """What a call with the token is refused with; "" while it is good."""
    try:
        WebClient(token, base_url=sandbox.api_url, retry_handlers=[]).auth_test()
    except SlackApiError as refused:
        return str(refused.response["error"])
    return ""


def test_a_code_gives_a_pair_and_the_token_says_how_long_it_lives(rotating: Sandbox) -> None:
    answer = exchange_code(rotating)
    assert answer["access_token"].startswith("xoxe.xoxb-1-")
    assert answer["refresh_token"].startswith("xoxe-1-")
    assert answer["expires_in"] == TWELVE_HOURS
    rotating.clock(advance=3_600)
    client = WebClient(answer["access_token"], base_url=rotating.api_url)
    assert client.auth_test()["expires_in"] == TWELVE_HOURS - 3_600


def test_the_manifest_can_turn_rotation_on(sandbox: Sandbox) -> None:
    document = sandbox.platform.manifest.document
    document["settings"]["token_rotation_enabled"] = True
    sandbox.set_manifest(document)
    assert "refresh_token" in exchange_code(sandbox)


def test_a_token_expires_by_the_sandboxs_clock(rotating: Sandbox) -> None:
    token = exchange_code(rotating)["access_token"]
    rotating.clock(advance=TWELVE_HOURS - 1)
    assert error(rotating, token) == ""
    rotating.clock(advance=1)
    assert error(rotating, token) == "token_expired"
    assert error(rotating, token) == "token_expired"
    assert rotating.violations() == []


def test_a_refresh_gives_a_new_pair_beside_the_old_token(rotating: Sandbox) -> None:
    first = exchange_code(rotating)
    second = refresh(rotating, first["refresh_token"])
    assert second["team"] == first["team"]
    assert second["scope"] == first["scope"]
    assert second["refresh_token"] != first["refresh_token"]
    assert error(rotating, first["access_token"]) == error(rotating, second["access_token"]) == ""


def test_a_used_refresh_token_works_again_for_a_short_while(rotating: Sandbox) -> None:
    first = exchange_code(rotating)["refresh_token"]
    refresh(rotating, first)
    rotating.clock(advance=59)
    refresh(rotating, first)
    rotating.clock(advance=1)
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(rotating, first)


def test_of_three_tokens_the_oldest_is_revoked(rotating: Sandbox) -> None:
    first = exchange_code(rotating)
    second = refresh(rotating, first["refresh_token"])
    third = refresh(rotating, second["refresh_token"])
    tokens = [each["access_token"] for each in (first, second, third)]
    assert [error(rotating, each) for each in tokens] == ["token_revoked", "", ""]


def test_the_answer_of_a_refresh_can_be_lost(rotating: Sandbox) -> None:
    first = exchange_code(rotating)
    rotating.add_fault(
        effect="reset",
        method="oauth.v2.access",
        arguments={"grant_type": "refresh_token"},
        team_id="T0ACME",
        after_processing=True,
        times=1,
    )
    with pytest.raises(ConnectionResetError):
        refresh(rotating, first["refresh_token"])
    again = refresh(rotating, first["refresh_token"])
    assert error(rotating, again["access_token"]) == ""
    rotating.clock(advance=60)
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(rotating, first["refresh_token"])


def test_a_fault_can_hit_refreshes_and_spare_codes(rotating: Sandbox) -> None:
    rotating.add_fault(
        effect="error",
        method="oauth.v2.access",
        arguments={"grant_type": "refresh_token"},
        error="invalid_refresh_token",
    )
    answer = exchange_code(rotating)
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(rotating, answer["refresh_token"])


def test_nothing_renews_a_token_of_an_app_that_is_gone(rotating: Sandbox) -> None:
    first = exchange_code(rotating)
    rotating.admin("uninstall", team_id="T0ACME")
    assert error(rotating, first["access_token"]) == "account_inactive"
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        refresh(rotating, first["refresh_token"])


def test_revoking_one_of_two_tokens_leaves_the_app_installed(rotating: Sandbox) -> None:
    first = exchange_code(rotating)
    second = refresh(rotating, first["refresh_token"])
    WebClient(first["access_token"], base_url=rotating.api_url).auth_revoke()
    assert error(rotating, first["access_token"]) == "token_revoked"
    assert error(rotating, second["access_token"]) == ""


def test_a_long_lived_token_is_exchanged_once(sandbox: Sandbox) -> None:
    old = sandbox.install()["token"]

    def swap(token: str) -> dict[str, Any]:
        client = WebClient(base_url=sandbox.api_url, retry_handlers=[])
        secrets = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        answer = client.oauth_v2_exchange(token=token, **secrets)
        assert isinstance(answer.data, dict)
        return answer.data

    with pytest.raises(SlackApiError, match="token_rotation_not_enabled"):
        swap(old)
    sandbox.admin("switch", token_rotation=True)
    pair = swap(old)
    assert error(sandbox, pair["access_token"]) == error(sandbox, old) == ""
    with pytest.raises(SlackApiError, match="token_already_exchanged"):
        swap(old)
    with pytest.raises(SlackApiError, match="invalid_token"):
        swap("xoxb-unknown")
    refresh(sandbox, pair["refresh_token"])


def test_tokens_that_rotate_survive_a_restart(tmp_path: Any, sandbox: Sandbox) -> None:
    document, file = sandbox.platform.manifest.document, tmp_path / "state.json"
    with Sandbox(document, state_file=file) as first:
        first.admin("switch", token_rotation=True)
        pair = first.install()
    with Sandbox(document, state_file=file) as second:
        assert error(second, pair["token"]) == ""
        refresh(second, pair["refresh_token"])
