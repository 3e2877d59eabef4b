"""Is the state on the Slack page the true one, in whatever order things happen and are told?

Two accounts, one workspace. Slack's events are held back and come late, doubled and in any order,
some of them again after years of other news.
"""

import contextlib
import os
import random
from datetime import UTC, datetime
from typing import Any

import time_machine
from hypothesis import HealthCheck, Verbosity, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from portal.domain.accounts.models import User
from portal.slack import probes
from portal.slack_sandbox.lookups import Impossible
from tests.conftest import empty
from tests.slack.conftest import Story, post
from tests.slack.links import account_of, page, shown_state

WHO = st.sampled_from(["Acme", "Beta"])
STEP = st.one_of(
    st.tuples(st.just("authorize"), WHO),
    st.tuples(st.just("unlink"), WHO),
    st.tuples(st.just("end_at_slack"), st.sampled_from(["uninstall", "revoke"])),
    st.tuples(st.just("lose_scope"), st.none()),
    st.tuples(st.just("events_come"), st.integers(0, 1000)),
    st.tuples(st.just("time_passes"), st.sampled_from([1, 3, 3600])),
    st.tuples(st.just("jobs_run"), st.none()),
)


class Life:
    """What was done so far; `holder` is the account that should have the workspace."""

    def __init__(self, story: Story, clock: Any) -> None:
        self.story, self.clock = story, clock
        self.admins: dict[str, User] = {n: story.people(n)["adam"] for n in ("Acme", "Beta")}
        self.holder: str | None = None
        self.told: list[dict[str, Any]] = []  # the events that came, to come again
        story.sandbox.hold_events()

    def authorize(self, who: str) -> None:
        browser = self.story.browser(self.admins[who])
        callback = self.story.sandbox.consent(self.story.authorize(browser))
        answer = self.story.come_back(browser, callback)
        assert answer.status_code == (303 if self.holder in (None, who) else 409)
        self.holder = self.holder or who

    def unlink(self, who: str) -> None:
        answer = post(self.story.browser(self.admins[who]), "/settings/connectors/slack/unlink")
        assert answer.status_code == (303 if self.holder == who else 409)
        self.holder = None if self.holder == who else self.holder

    def end_at_slack(self, how: str) -> None:
        with contextlib.suppress(Impossible):  # it is not installed
            self.story.sandbox.admin(how, team_id="T0ACME")

    def lose_scope(self, _: None) -> None:
        """No event tells of it: the next look at the link does."""
        with contextlib.suppress(Impossible):  # it is not installed, or lacks it already
            self.story.sandbox.admin("take_scope", team_id="T0ACME", scope="pins:write")
        with self.story.app.app_context():
            for admin in self.admins.values():
                probes.probe(account_id=account_of(admin))

    def events_come(self, seed: int) -> None:
        chance = random.Random(seed)
        for payload in chance.choices(self.told, k=2) if self.told else []:
            self._send(payload)
        held = self.story.sandbox.platform.events.release()
        self.story.sandbox.hold_events()
        doubled = held + [each for each in held if chance.random() < 0.5]
        chance.shuffle(doubled)
        for payload in doubled:
            self._send(payload)
        self.told += held

    def _send(self, payload: dict[str, Any]) -> None:
        url = self.story.sandbox.platform.manifest.events_url
        delivery = self.story.sandbox.deliver(url, payload, as_json=True)
        assert delivery.status == 200

    def time_passes(self, seconds: int) -> None:
        self.clock.shift(seconds)

    def jobs_run(self, _: None) -> None:
        self.story.work()

    def is_true(self) -> None:
        """The badge of each account says what is so at Slack."""
        for who, admin in self.admins.items():
            expected = "unlinked"
            if who == self.holder:
                installation = self.story.installation(account_of(admin))
                assert installation is not None
                token = self.story.sandbox.state()["tokens"][installation.bot_token]
                may = self.story.sandbox.state()["installations"][token["installation_id"]][
                    "scopes"
                ]
                is_limited = "pins:write" not in may
                expected = "broken" if token["error"] else "limited" if is_limited else "linked"
            assert shown_state(self.story, admin) == expected
            has_banner = 'class="banner"' in page(self.story, admin, "/alerts")
            assert has_banner == (expected == "broken")


# More of them, and others each time: TOCSIN_EXAMPLES=200.
EXAMPLES = os.environ.get("TOCSIN_EXAMPLES")


@hypothesis_settings(
    max_examples=int(EXAMPLES or 8),
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
@example([("authorize", "Acme"), ("end_at_slack", "revoke"), ("authorize", "Acme")])
@example(
    [
        ("authorize", "Acme"),
        ("time_passes", 3600),
        ("end_at_slack", "uninstall"),
        ("time_passes", 3600),
        ("authorize", "Acme"),
        ("time_passes", 3600),
    ]
)
@example(
    [
        ("authorize", "Acme"),
        ("time_passes", 3600),
        ("end_at_slack", "uninstall"),
        ("events_come", 1),
        ("authorize", "Beta"),
        ("authorize", "Acme"),
        ("time_passes", 3600),
        ("events_come", 2),
        ("unlink", "Acme"),
        ("authorize", "Beta"),
        ("events_come", 3),
    ]
)
@example(
    [
        ("authorize", "Acme"),
        ("lose_scope", None),
        ("end_at_slack", "revoke"),
        ("events_come", 4),
        ("authorize", "Acme"),
        ("lose_scope", None),
        ("events_come", 5),
    ]
)
@given(st.lists(STEP, min_size=4, max_size=10))
def test_the_state_shown_is_always_the_true_one(
    connected: Story, steps: list[tuple[str, Any]]
) -> None:
    connected.sandbox.reset()
    try:
        with time_machine.travel(datetime.now(UTC)) as clock:
            life = Life(connected, clock)
            for name, given_to_it in steps:
                getattr(life, name)(given_to_it)
            life.events_come(0)
            life.jobs_run(None)
            life.is_true()
    finally:
        empty(connected.app)
