"""What is known of a Web API method: its handler, scope, tier and arguments?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .call import Call

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
ANYTHING = "*"
NO_TIER = 0  # chat.postMessage is limited per channel and workspace instead
PAGE = "cursor limit"


@dataclass(frozen=True)
class Method:
    """A row: `needed` and `taken` are argument names, `scope` what the token must have."""

    run: Callable[[Call], dict[str, Any]]
    per_minute: int
    scope: str = ""
    needed: str = ""
    taken: str = ""
    takes_json: bool = False
    takes_token: bool = True

    def unknown(self, arguments: dict[str, Any]) -> list[str]:
        if self.taken == ANYTHING:
            return []
        return sorted(
            set(arguments) - {"token", "team_id", *self.needed.split(), *self.taken.split()}
        )
