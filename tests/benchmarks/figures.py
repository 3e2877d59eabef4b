"""How are figures printed, so that two runs can be compared?"""

import statistics
from collections.abc import Sequence


def at(seconds: Sequence[float], percent: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def times(name: str, seconds: Sequence[float], must: str = "") -> None:
    """Median, p95, p99 and maximum in milliseconds; `must` is what the figure should be."""
    if not seconds:
        print(f"  {name}: nothing measured")
        return
    median = 1000 * statistics.median(seconds)
    figures = "  ".join(f"p{p} {1000 * at(seconds, p):.0f} ms" for p in (95, 99))
    longest = f"max {1000 * max(seconds):.0f} ms"
    say(f"{name}: n={len(seconds)}  p50 {median:.1f} ms  {figures}  {longest}", must)


def say(text: str, must: str = "") -> None:
    print(f"  {text}" + (f"   [must: {must}]" if must else ""), flush=True)
