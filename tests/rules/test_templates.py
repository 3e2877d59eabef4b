"""Can every fragment be swapped in place, and does every page have the same frame?"""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROOT = PROJECT / "templates"
TEMPLATES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.html"))}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
FRAME = "layout.html"
# Added to the page; it replaces nothing.
WITHOUT_ID = {"errors/_toast.html"}
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}", re.DOTALL)
VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
REFUSED = (
    r"<style\b",
    r"\sstyle=",
    r"\son[a-z]+=",
    r"<script(?![^>]*\bsrc=)",
    r"href=.javascript:",
)


def html(name: str) -> str:
    return VALUE.sub("x", JINJA.sub("", TEMPLATES[name].read_text()))


def answered_alone() -> list[str]:
    """The fragments that some view renders by itself; the others are parts of a page."""
    named = set()
    for path in (PROJECT / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in TEMPLATES:
                named.add(str(node.value))
    return sorted(n for n in named if n.rpartition("/")[2].startswith("_") and n not in WITHOUT_ID)


class Roots(HTMLParser):
    """The outermost elements, each with its attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.depth, self.found = 0, list[dict[str, str | None]]()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.found.append(dict(attrs))
        self.depth += tag not in VOID

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.found.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in VOID


def test_some_fragments_are_answered_alone() -> None:
    assert len(answered_alone()) >= 3


@pytest.mark.parametrize("name", answered_alone())
def test_a_fragment_that_is_swapped_has_one_root_with_an_id(name: str) -> None:
    # What is swapped out of band goes elsewhere, by an id of its own.
    roots = [root for root in Roots(html(name)).found if "hx-swap-oob" not in root]
    assert len(roots) == 1, f"{name}: wrap it in one element, so that it can be swapped: {roots}"
    assert roots[0].get("id"), f"{name}: give its root element an id"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_page_has_the_common_frame(name: str) -> None:
    is_page = not name.rpartition("/")[2].startswith("_") and name != FRAME
    source = TEMPLATES[name].read_text()
    assert bool(re.search(r"\{%-?\s*extends\b", source)) == is_page, (
        f"{name}: pages extend a layout, fragments (_name.html) do not"
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline_that_the_security_policy_refuses(name: str) -> None:
    for pattern in REFUSED:
        assert not re.search(pattern, html(name)), (
            f"{name} has {pattern}: see portal/web/headers.py"
        )


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_text_from_outside_is_trusted(name: str) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape", TEMPLATES[name].read_text()), name
