"""What time is it in the sandbox? Real, frozen, or moved by command."""

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970, as the sandbox sees them; every expiry and window asks here."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        return time.time() + self._offset if self._frozen_at is None else self._frozen_at

    def today(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def freeze(self, at: float | None = None) -> None:
        self._frozen_at = self.now() if at is None else at

    def advance(self, seconds: float) -> None:
        if self._frozen_at is None:
            self._offset += seconds
        else:
            self._frozen_at += seconds

    def real(self) -> None:
        self._offset, self._frozen_at = 0.0, None

    def describe(self) -> dict[str, object]:
        return {
            "now": self.now(),
            "iso": self.today().isoformat(),
            "frozen": self._frozen_at is not None,
            "offset": self._offset,
        }
