"""Does every change leave an entry in the audit log, and has every entry words for people?"""

import ast
from pathlib import Path

import pytest

from portal.domain.audit.actions import AuditAction
from portal.web.audit_words import DEEDS, Kind, actions_of

DOMAIN = Path(__file__).parents[2] / "portal" / "domain"
# Alerts have a timeline of their own, which everybody who sees the alert can read; it tells their
# escalation too. A notice is a matter between the portal and one person.
ELSEWHERE = {"alerts", "escalation", "notices"}
FILES = sorted(
    [
        *(path for path in DOMAIN.rglob("operations.py") if path.parent.name not in ELSEWHERE),
        DOMAIN / "accounts" / "sign_ins.py",
        DOMAIN / "escalation" / "policies.py",
    ]
)
# Nothing of the account changes: somebody comes, or goes.
NOT_AUDITED = {"sign_in", "sign_in_invited", "sign_out", "seen"}


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    body = ast.parse(path.read_text()).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def is_audited(name: str, known: dict[str, ast.FunctionDef]) -> bool:
    """Whether the function records an entry, itself or through one of its own file."""
    for node in ast.walk(known[name]):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "log.record":
            return True
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called != name and called in known and is_audited(called, known):
            return True
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DOMAIN)))
def test_every_operation_writes_to_the_audit_log(path: Path) -> None:
    known = functions(path)
    for name in known:
        if not name.startswith("_") and name not in NOT_AUDITED:
            assert is_audited(name, known), f"{path.name}: {name}() must log.record() what it did"


@pytest.mark.parametrize("action", AuditAction)
def test_every_deed_has_a_kind_and_a_sentence(action: AuditAction) -> None:
    assert action in DEEDS, f"say in portal/web/audit_words.py what {action.name} tells people"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_deed(kind: Kind) -> None:
    assert actions_of(kind)
