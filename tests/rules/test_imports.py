"""Do imports point inwards, as the architecture says?"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "portal"
EDGES = {"portal.slack", "portal.mail", "portal.ingest", "portal.api", "portal.web", "portal.jobs"}
FORBIDDEN = {
    "domain": EDGES | {"flask", "flask_login", "slack_sdk", "authlib", "procrastinate"},
    "slack": {"portal.web", "portal.api", "portal.ingest", "portal.mail", "procrastinate"},
    "mail": {"portal.web", "portal.api", "portal.ingest", "portal.slack", "procrastinate"},
    "ingest": EDGES - {"portal.ingest"} | {"slack_sdk", "procrastinate"},
    "api": EDGES - {"portal.api"} | {"slack_sdk", "procrastinate"},
    "web": {
        "portal.ingest",
        "portal.api",
        "portal.jobs",
        "portal.slack.gateway",
        "slack_sdk",
        "procrastinate",
    },
    "jobs": {"portal.web", "portal.api", "portal.ingest", "slack_sdk"},
    "observability": EDGES | {"portal.domain"},
    "slack_sandbox": {"portal", "slack_sdk"},
}
FILES = sorted(ROOT.rglob("*.py"))
# `alerts` announces; whoever routes or escalates reacts through subscriptions.py.
OUTER = {"routing", "escalation", "dedicated_channels", "by_hand"}
FORBIDDEN_IN_DOMAIN = {
    "accounts": OUTER | {"notices", "sources", "alerts", "oncall"},
    "notices": OUTER | {"sources", "alerts", "oncall"},
    "sources": OUTER | {"alerts", "oncall"},
    "alerts": OUTER | {"oncall"},
    "oncall": OUTER | {"sources", "alerts"},
    "routing": {"dedicated_channels", "by_hand"},
    "escalation": {"dedicated_channels", "by_hand"},
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_within(name: str, module: str) -> bool:
    return f"{name}.".startswith(f"{module}.")


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_imports_point_inwards(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    own = f"portal.{layer}"
    for name in imports(path):
        for banned in FORBIDDEN.get(layer, ()):
            if layer == "slack_sandbox" and is_within(name, own):
                continue
            assert not is_within(name, banned), (
                f"{layer} must not import {name}: announce a fact, or move this to the edge"
            )


@pytest.mark.parametrize("path", sorted((ROOT / "domain").rglob("*.py")), ids=short)
def test_within_the_domain_too(path: Path) -> None:
    part = path.relative_to(ROOT / "domain").parts[0]
    for name in imports(path):
        for banned in FORBIDDEN_IN_DOMAIN.get(part, ()):
            assert not is_within(name, f"portal.domain.{banned}"), (
                f"domain/{part} must not import {name}: announce a fact instead"
            )


@pytest.mark.parametrize(
    ("library", "place"),
    [("slack_sdk", "slack/"), ("procrastinate", "jobs/"), ("smtplib", "mail/")],
)
def test_a_library_with_one_place_stays_there(library: str, place: str) -> None:
    users = [short(path) for path in FILES if any(is_within(n, library) for n in imports(path))]
    assert [user for user in users if not user.startswith(place)] == []
