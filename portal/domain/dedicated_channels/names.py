"""What may a dedicated channel be called? Pure.

Slack: lower-case letters, digits, hyphens and underscores, at most 80 (slack.md section 6).
"""

import re
import unicodedata

LONGEST = 80
MOST_NUMBERED = 5  # product.md section 6: a default name is numbered _2 … _5 when it is taken


def proposed(source_name: str, alert_id: int) -> str:
    """`grafana_alert_42`; a source whose name has nothing that fits gives `alert_42`."""
    tail = f"alert_{alert_id}"
    slug = re.sub(r"[^a-z0-9]+", "_", _plain(source_name)).strip("_")
    slug = slug[: LONGEST - len(tail) - 1].rstrip("_")
    return f"{slug}_{tail}" if slug else tail


def clean(typed: str) -> str:
    """What Slack would take, as near as possible to what was typed; "" when nothing is left."""
    fitting = re.sub(r"[^a-z0-9_-]+", "_", _plain(typed).strip().lstrip("#"))
    return fitting.strip("_-")[:LONGEST].rstrip("_-")


def numbered(name: str, number: int) -> str:
    """`name_2`; a long name is cut so that the number fits."""
    tail = f"_{number}"
    return f"{name[: LONGEST - len(tail)]}{tail}"


def following(name: str, taken: str) -> str | None:
    """The name to try after `taken`, which is `name` or one of its numbered forms; None: no more."""
    tried = [name, *(numbered(name, number) for number in range(2, MOST_NUMBERED + 1))]
    at = tried.index(taken) + 1 if taken in tried else len(tried)
    return tried[at] if at < len(tried) else None


def _plain(text: str) -> str:
    """Lower case, with accents taken off: "Überwachung" is "uberwachung"."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(each for each in apart if not unicodedata.combining(each)).lower()
