"""Does every change leave an entry in the audit log, and has every entry words for people?"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.domain.audit.actions import AuditAction
from portal.web.audit_words import DEEDS, Kind, actions_of

DOMAIN = Path(__file__).parents[2] / "portal" / "domain"
# What is done to an alert is told by its timeline, which everybody who sees the alert can read.
RECORDED_BY = {"log.record", "audit", "audit_change", "timeline.record"}
# Nothing of the account changes, or a file beside it writes the timeline.
NOT_AUDITED = {
    "dedicated_channels/operations.py": {"create", "detach", "invite_again"},  # on the timeline
    "accounts/sign_ins.py": {"sign_in", "sign_in_invited", "sign_out", "seen"},
    "alerts/receive.py": {"receive", "receive_all"},
    "escalation/operations.py": {"bring_near", "escalate", "postpone", "take_due_steps"},
    "notices/operations.py": {"dismiss"},
    # How people want to be told is their own affair; what was sent stands on the timeline.
    "notifications/operations.py": {
        "bring_near",
        "choose",
        "mute",
        "next_way",
        "postpone",
        "send_test",
        "take_due",
        "unmute",
    },
    "oncall/calendar_links.py": {"opened_by"},
    "rate_limits.py": {"hit"},
    "routing/runs.py": {"run"},  # on the timeline, once Slack has answered
    "routing/timers.py": {"bring_near", "postpone"},
}
FILES = sorted(DOMAIN.rglob("*.py"))


def operations(path: Path) -> Iterator[tuple[str, bool]]:
    """Each public function that commits, and whether it or what it calls in its file records it."""
    body = ast.parse(path.read_text()).body
    known = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}

    def calls(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        if name not in known or name in seen:
            return {name}
        called = {
            ast.unparse(node.func) for node in ast.walk(known[name]) if isinstance(node, ast.Call)
        }
        return called.union(*(calls(each, seen | {name}) for each in called))

    for name in known:
        found = calls(name)
        if not name.startswith("_") and "db.session.commit" in found:
            yield name, bool(RECORDED_BY & found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DOMAIN).as_posix())
def test_every_operation_writes_to_the_audit_log(path: Path) -> None:
    excepted = NOT_AUDITED.get(path.relative_to(DOMAIN).as_posix(), set())
    for name, is_audited in operations(path):
        assert is_audited or name in excepted, f"{name}() must log.record() what it did"


def test_operations_are_found() -> None:
    found = {name for path in FILES for name, _ in operations(path)}
    assert {"change_role", "rotate_integration_key", "create", "delete"} <= found


@pytest.mark.parametrize("action", AuditAction)
def test_every_deed_has_a_kind_and_a_sentence(action: AuditAction) -> None:
    assert action in DEEDS, f"say in portal/web/audit_words.py what {action.name} tells people"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_deed(kind: Kind) -> None:
    assert actions_of(kind)
