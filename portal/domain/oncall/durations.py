"""How long is a turn? ISO 8601 durations, such as P1W or PT12H (product.md section 8.2)."""

import re
from dataclasses import dataclass

from portal.errors import Invalid

PATTERN = re.compile(
    r"P(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?)?"
)
LONGEST_DAYS = 366 * 2
REFUSED = "Please give one length: hours, days, weeks or months, from an hour to two years."


@dataclass(frozen=True)
class Rotation:
    """Exactly one is above zero. Months and days keep the wall clock, minutes elapse."""

    months: int = 0
    days: int = 0
    minutes: int = 0

    @property
    def iso(self) -> str:
        """The duration as it is stored, in its largest whole unit."""
        if self.months:
            return f"P{self.months}M"
        if self.days:
            return f"P{self.days // 7}W" if self.days % 7 == 0 else f"P{self.days}D"
        hours, minutes = divmod(self.minutes, 60)
        return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"


def parse(duration: str) -> Rotation:
    """Read an ISO 8601 duration. Raises Invalid when it is none, or mixes what cannot be mixed.

    A mixture such as P1M2D or P1DT12H has no single meaning across clock changes.
    """
    found = PATTERN.fullmatch(duration)
    given = {unit: int(n or 0) for unit, n in found.groupdict().items()} if found else {}
    rotation = Rotation(
        months=12 * given.get("years", 0) + given.get("months", 0),
        days=7 * given.get("weeks", 0) + given.get("days", 0),
        minutes=60 * given.get("hours", 0) + given.get("minutes", 0),
    )
    lengths = [length for length in (rotation.months, rotation.days, rotation.minutes) if length]
    is_short = 0 < rotation.minutes < 60
    days = rotation.days + 31 * rotation.months + rotation.minutes / 1440
    if len(lengths) != 1 or is_short or days > LONGEST_DAYS + 31:
        raise Invalid(REFUSED, field="rotation")
    return rotation
