"""Is what Slack would refuse as a channel's name turned into what it takes?"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.dedicated_channels import names

TAKEN_BY_SLACK = re.compile(r"[a-z0-9_-]{1,80}")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Grafana", "grafana_alert_42"),
        ("Überwachung -- DB / Köln", "uberwachung_db_koln_alert_42"),
        ("监控", "alert_42"),
        ("!?", "alert_42"),
        ("x" * 200, "x" * 71 + "_alert_42"),
    ],
)
def test_the_proposed_name_is_the_sources_and_the_alerts(source: str, expected: str) -> None:
    assert names.proposed(source, 42) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("#War Room", "war_room"),
        ("  db-1: disk / full ", "db-1_disk_full"),
        ("__--__", ""),
        ("", ""),
        ("ﬁre", "fire"),
        ("a" * 100, "a" * 80),
    ],
)
def test_a_typed_name_is_kept_as_far_as_slack_allows(typed: str, expected: str) -> None:
    assert names.clean(typed) == expected


@given(st.text(), st.integers(1, 2**63 - 1))
def test_slack_takes_whatever_comes_out(typed: str, alert_id: int) -> None:
    cleaned, proposed = names.clean(typed), names.proposed(typed, alert_id)
    assert cleaned == "" or TAKEN_BY_SLACK.fullmatch(cleaned)
    assert names.clean(cleaned) == cleaned
    assert TAKEN_BY_SLACK.fullmatch(proposed)
    assert names.clean(proposed) == proposed
    assert TAKEN_BY_SLACK.fullmatch(names.numbered(proposed, 5))


def test_a_taken_name_is_numbered_up_to_five() -> None:
    tried, name = ["db"], names.following("db", "db")
    while name is not None:
        tried.append(name)
        name = names.following("db", name)
    assert tried == ["db", "db_2", "db_3", "db_4", "db_5"]
