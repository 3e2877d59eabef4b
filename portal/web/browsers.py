"""Which browser is this? Its User-Agent in words that a person recognises."""

# The first that is contained wins: Edge says Chrome too, Chrome says Safari too.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def name_of(user_agent: str) -> str:
    """Return for instance “Firefox on Linux”; for a program, what it calls itself."""
    browser = _first(BROWSERS, user_agent) or user_agent.partition(" ")[0][:40]
    system = _first(SYSTEMS, user_agent)
    named = f"{browser} on {system}" if system else browser
    return named or "Unknown browser"


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
