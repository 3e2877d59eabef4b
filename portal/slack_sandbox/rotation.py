"""Which tokens does an installation get, how long do they live, and what renews them?"""

from .platform import Platform
from .state import Installation, RefreshToken, Token

ACCESS_SECONDS = 43_200
MOST_ACTIVE = 2  # the oldest one more is revoked (Slack docs: Using token rotation)


def is_on(platform: Platform) -> bool:
    """An app rotates its tokens if its manifest says so, or the switch does."""
    return platform.manifest.rotates_tokens or platform.world.switches.token_rotation


def mint(platform: Platform, own: Installation) -> Token:
    """A new access token; where tokens rotate it expires and comes with a refresh token."""
    world = platform.world
    if not is_on(platform):
        token = Token(platform.secret("xoxb-"), own.id)
    else:
        refresh = RefreshToken(platform.secret("xoxe-1-"), own.id)
        world.refresh_tokens[refresh.token] = refresh
        token = Token(
            platform.secret("xoxe.xoxb-1-"),
            own.id,
            expires_at=platform.clock.now() + ACCESS_SECONDS,
            refresh_token=refresh.token,
        )
    world.tokens[token.token] = token
    if is_on(platform):
        for oldest in active(platform, own)[:-MOST_ACTIVE]:
            oldest.error = "token_revoked"
    return token


def active(platform: Platform, own: Installation) -> list[Token]:
    """The tokens that work now, oldest first."""
    mine = [each for each in platform.world.tokens.values() if each.installation_id == own.id]
    return [each for each in mine if not error_of(platform, each)]


def error_of(platform: Platform, token: Token) -> str:
    """What a call with this token answers; "" while it is good."""
    is_over = token.expires_at and platform.clock.now() >= token.expires_at
    return token.error or ("token_expired" if is_over else "")


def renew(platform: Platform, refresh_token: str) -> tuple[Installation, Token] | None:
    """A new pair for a refresh token, None if it is not good (any more).

    A used one works again for a short grace period, so that a lost answer is no end.
    """
    world, now = platform.world, platform.clock.now()
    refresh = world.refresh_tokens.get(refresh_token)
    if refresh is None or (
        refresh.used_at and now >= refresh.used_at + world.switches.refresh_grace
    ):
        return None
    own = world.installations[refresh.installation_id]
    if not own.is_active:
        return None
    refresh.used_at = refresh.used_at or now
    return own, mint(platform, own)
