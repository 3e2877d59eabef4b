"""Can the keys be exchanged while everything runs, and what if one is lost?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet, MultiFernet
from flask import Flask
from sqlalchemy import select, text, update

from portal import diagnosis
from portal.db import db
from portal.domain.accounts.models import User
from portal.slack import encryption
from portal.slack.installations import Revocation, SlackInstallation
from tests.slack.conftest import Story, post
from tests.slack.links import (
    alert,
    catch_up,
    credentials,
    last_call,
    methods,
    page,
    shown_state,
    texts,
)
from tests.slack.signed import interaction, signed
from tests.together import beside, until, waiting

OLD, NEW, OTHER = Fernet.generate_key(), Fernet.generate_key(), Fernet.generate_key()


Use = Callable[..., None]


@pytest.fixture
def use(story: Story, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes ENCRYPTION_KEYS what it is called with; at first the old key alone."""

    def ring(*keys: bytes) -> None:
        several = MultiFernet([Fernet(key) for key in keys])
        monkeypatch.setitem(story.app.extensions, "encryption_keys", several)

    ring(OLD)
    return ring


@pytest.fixture
def cast(story: Story, use: Use) -> dict[str, User]:
    made = story.people()
    story.sandbox.admin("switch", token_rotation=True)
    story.link(made["olivia"])
    return made


def test_everything_is_encrypted_anew_and_the_old_key_can_go(
    story: Story, cast: dict[str, User], use: Use
) -> None:
    token = credentials(story, cast["adam"]).token
    with story.app.app_context():
        waits = Revocation(account_id=cast["adam"].account_id, team_id="T0OLD", bot_token="xoxb-1")
        db.session.add(waits)
        db.session.commit()
        use(NEW, OLD)
        assert encryption.rotate() == 3  # a token, a refresh token, a revocation's token
        assert encryption.rotate() == 3  # safe to repeat
        use(NEW)
        assert list(encryption.closed()) == []
        assert db.session.scalar(select(Revocation.bot_token)) == "xoxb-1"
    assert credentials(story, cast["adam"]).token == token


def test_a_value_written_during_the_exchange_is_not_overwritten(
    story: Story, cast: dict[str, User], use: Use
) -> None:
    use(NEW, OLD)

    def rotate() -> int:
        with story.app.app_context():
            return encryption.rotate()

    with ThreadPoolExecutor(1) as pool, beside(story.app) as writer:
        with story.app.app_context():
            writer.execute(update(SlackInstallation).values(bot_token="xoxb-newest"))
        rotating = pool.submit(rotate)
        until(lambda: len(waiting(story.app)) == 1, "the exchange waits for the writer")
        writer.commit()
        assert rotating.result(20) == 1  # the refresh token
    use(NEW)
    assert credentials(story, cast["adam"]).token == "xoxb-newest"


def test_the_doctor_names_what_no_key_opens(story: Story, cast: dict[str, User], use: Use) -> None:
    use(OTHER)
    with story.app.app_context():
        number = db.session.scalar(select(SlackInstallation.id))
        names = [f"{column} of slack_installations {number}" for column in COLUMNS]
        assert sorted(encryption.closed()) == names
        (said,) = [f for f in diagnosis.examine() if "ENCRYPTION_KEYS" in f.words]
        assert said.verdict == diagnosis.WRONG
        assert all(name in said.words for name in names)
        assert encryption.rotate() == 0  # left as it is, for the day the key is found
    use(OLD)
    with story.app.app_context():
        (said,) = [f for f in diagnosis.examine() if "ENCRYPTION_KEYS" in f.words]
    assert said.verdict == diagnosis.FINE


COLUMNS = ("bot_token", "refresh_token")


def test_a_lost_key_takes_down_no_page_and_its_return_mends_all(
    story: Story, cast: dict[str, User], use: Use
) -> None:
    use(OTHER)
    since = last_call(story)
    alert(story, cast["olivia"])
    story.work()
    assert methods(story, since) == []
    assert shown_state(story, cast["adam"]) == "broken"
    for path in ("/alerts", "/settings/connectors", "/settings/connectors/slack"):
        told = page(story, cast["adam"], path)
        assert "ENCRYPTION_KEYS does not open the app" in told
        assert "Nothing is sent to Slack since" not in told  # nobody knows since when
    use(OLD)
    catch_up(story)
    assert shown_state(story, cast["adam"]) == "linked"
    assert len(texts(story)) == 1


def test_after_a_lost_key_an_admin_can_authorize_again_or_unlink(
    story: Story, cast: dict[str, User], use: Use
) -> None:
    use(NEW)
    story.link(cast["adam"])
    assert shown_state(story, cast["adam"]) == "linked"
    use(OTHER)
    answer = post(story.browser(cast["adam"]), "/settings/connectors/slack/unlink")
    assert answer.status_code == 303
    story.work()
    assert shown_state(story, cast["adam"]) == "unlinked"
    with story.app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM slack_revocations")) == 0


def test_a_signing_secret_is_exchanged_without_a_gap(app: Flask) -> None:
    kept = app.config["SLACK_SIGNING_SECRETS"]
    app.config["SLACK_SIGNING_SECRETS"] = ["the-new-one", *kept]
    try:
        for secret, status in ((kept[0], 200), ("the-new-one", 200), ("another", 401)):
            sent = signed(interaction({"type": "view_closed"}), secret=secret)
            assert app.test_client().post("/slack/interactions", **sent).status_code == status
    finally:
        app.config["SLACK_SIGNING_SECRETS"] = kept
