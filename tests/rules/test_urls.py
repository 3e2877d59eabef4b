"""Do all addresses look alike: kebab-case nouns, typed ids?"""

import re

from flask import Flask

WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.(json|js|csv))?")
VARIABLE = re.compile(r"<int:[a-z_]+_id>|<path:filename>|<(string:)?token>(\.ics)?")


def test_every_address_is_made_of_words_and_typed_ids(portal_app: Flask) -> None:
    for rule in portal_app.url_map.iter_rules():
        for part in filter(None, rule.rule.split("/")):
            fits = VARIABLE.fullmatch(part) or WORD.fullmatch(part)
            assert fits, f"{rule.rule}: write {part} as kebab-case, or as <int:thing_id>"


def test_no_address_is_given_twice(portal_app: Flask) -> None:
    seen: dict[tuple[str, str], str] = {}
    for rule in portal_app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            other = seen.setdefault((rule.rule, method), rule.endpoint)
            assert other == rule.endpoint, f"{method} {rule.rule}: {other} and {rule.endpoint}"
