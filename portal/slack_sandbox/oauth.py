"""What may an authorization ask, and what does the browser carry back?"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from .filters import SCOPES
from .platform import Platform
from .state import Code

CODE_SECONDS = 600


class Refused(Exception):
    """Slack shows this on its own page; the app is never called back."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Question:
    """What the authorize URL asks, checked."""

    redirect_uri: str
    redirect_uri_sent: bool
    state: str | None
    team: str
    required: list[str]
    optional: list[str]


def check(platform: Platform, asked: Mapping[str, str]) -> Question:
    """Read the query of the authorize URL. Raises Refused as Slack does (Installing with OAuth)."""
    if asked.get("client_id") != platform.app.client_id:
        raise Refused("invalid_client_id")
    if "client_secret" in asked:
        platform.violation("secret_in_query", "client_secret in the authorize URL", "authorize")
    scopes = [scope for scope in asked.get("scope", "").split(",") if scope]
    allowed = set(platform.manifest.bot_scopes) | set(platform.manifest.optional_scopes)
    if not scopes or asked.get("user_scope") or not set(scopes) <= (allowed & set(SCOPES)):
        raise Refused("invalid_scope")
    optional = platform.manifest.optional_scopes
    return Question(
        redirect_uri=_redirect_uri(platform, asked.get("redirect_uri", "")),
        redirect_uri_sent="redirect_uri" in asked,
        state=asked.get("state"),
        team=asked.get("team") or platform.world.switches.home_workspace,
        required=[scope for scope in scopes if scope not in optional],
        optional=[scope for scope in scopes if scope in optional],
    )


def _redirect_uri(platform: Platform, sent: str) -> str:
    registered = platform.manifest.redirect_urls
    if not sent and registered:
        return registered[0]
    is_exact = platform.world.switches.exact_redirect_uri
    if sent in registered or (not is_exact and any(_lies_below(sent, each) for each in registered)):
        return sent
    raise Refused("bad_redirect_uri")


def _lies_below(sent: str, registered: str) -> bool:
    below, above = urlsplit(sent), urlsplit(registered)
    is_same_place = (below.scheme, below.netloc) == (above.scheme, above.netloc)
    return is_same_place and not below.fragment and below.path.startswith(f"{above.path}/")


def grant(
    platform: Platform,
    question: Question,
    team_id: str,
    user_id: str,
    scopes: list[str],
    whole_organization: bool = False,
) -> str | None:
    """Allow: the address to send the browser to. None where an admin has to approve first."""
    with platform.changing() as world:
        workspace = world.workspaces[team_id]
        if not world.switches.distributed and team_id != world.switches.home_workspace:
            raise Refused("invalid_team_for_non_distributed_app")
        if workspace.approval_required:
            return None
        code = Code(
            code=platform.secret("code-"),
            redirect_uri=question.redirect_uri,
            redirect_uri_sent=question.redirect_uri_sent,
            team_id="" if whole_organization else team_id,
            enterprise_id=workspace.enterprise_id,
            user=user_id,
            expires_at=platform.clock.now() + CODE_SECONDS,
            scopes=scopes,
        )
        world.codes[code.code] = code
    return _back(question, code=code.code)


def deny(platform: Platform, question: Question) -> str:
    return _back(question, error="access_denied")


def _back(question: Question, **answer: str) -> str:
    """The callback's address; `state` goes back byte for byte, an absent one stays absent."""
    if question.state is not None:
        answer["state"] = question.state
    sign = "&" if urlsplit(question.redirect_uri).query else "?"
    return f"{question.redirect_uri}{sign}{urlencode(answer)}"
