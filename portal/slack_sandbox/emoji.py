"""Which emoji does Slack know by which name? Stored texts hold names, screens show the signs."""

import re

SIGNS = {
    "rotating_light": "🚨",
    "fire": "🔥",
    "bell": "🔔",
    "no_bell": "🔕",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "eyes": "👀",
    "red_circle": "🔴",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "large_green_circle": "🟢",
    "large_blue_circle": "🔵",
    "white_circle": "⚪",
    "black_circle": "⚫",
    "large_red_square": "🟥",
    "large_orange_square": "🟧",
    "large_green_square": "🟩",
    "information_source": "ℹ️",
    "question": "❓",
    "exclamation": "❗",
    "arrow_up": "⬆️",
    "arrow_down": "⬇️",
    "arrow_right": "➡️",
    "arrows_counterclockwise": "🔄",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "stopwatch": "⏱️",
    "alarm_clock": "⏰",
    "calendar": "📆",
    "speech_balloon": "💬",
    "memo": "📝",
    "link": "🔗",
    "lock": "🔒",
    "unlock": "🔓",
    "mag": "🔍",
    "wrench": "🔧",
    "gear": "⚙️",
    "hammer_and_wrench": "🛠️",
    "chart_with_upwards_trend": "📈",
    "chart_with_downwards_trend": "📉",
    "bar_chart": "📊",
    "computer": "💻",
    "floppy_disk": "💾",
    "package": "📦",
    "telephone_receiver": "📞",
    "iphone": "📱",
    "email": "✉️",
    "phone": "☎️",
    "pager": "📟",
    "bust_in_silhouette": "👤",
    "busts_in_silhouette": "👥",
    "raised_hands": "🙌",
    "wave": "👋",
    "thumbsup": "👍",
    "thumbsdown": "👎",
    "tada": "🎉",
    "rocket": "🚀",
    "zap": "⚡",
    "boom": "💥",
    "bug": "🐛",
    "skull": "💀",
    "ambulance": "🚑",
    "fire_engine": "🚒",
    "construction": "🚧",
    "sos": "🆘",
    "mute": "🔇",
    "loud_sound": "🔊",
    "mega": "📣",
    "loudspeaker": "📢",
    "pushpin": "📌",
    "smile": "😄",
    "slightly_smiling_face": "🙂",
    "thinking_face": "🤔",
    "scream": "😱",
    "sweat_smile": "😅",
    "heart": "❤️",
    "star": "⭐",
    "sunny": "☀️",
    "crescent_moon": "🌙",
    "zzz": "💤",
    "robot_face": "🤖",
    "coffee": "☕",
}
SELECTOR = "\ufe0f"  # "show this as a picture"; people's keyboards leave it out at times
NAMES = {sign.rstrip(SELECTOR): name for name, sign in SIGNS.items()}
_SIGN = re.compile(f"({'|'.join(map(re.escape, NAMES))}){SELECTOR}?")
_NAME = re.compile(r":([a-z0-9_+-]+):")


def to_names(text: str) -> str:
    """Unicode emoji become `:name:`; the text gets longer, as in Slack."""
    return _SIGN.sub(lambda found: f":{NAMES[found[1]]}:", text)


def to_signs(text: str) -> str:
    """Names that are known become signs; others stay as they are."""
    return _NAME.sub(lambda found: SIGNS.get(found[1], found[0]), text)
