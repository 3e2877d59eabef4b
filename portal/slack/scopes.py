"""Which permissions do we ask Slack for, and why? (slack.md 7.3)"""

REQUIRED: dict[str, str] = {
    "chat:write": "post alerts and keep them up to date",
    "channels:read": "offer the public channels to choose from",
    "users:read": "recognise who presses a button",
    "users:read.email": "match people by their e-mail address",
}
OPTIONAL: dict[str, str] = {
    "chat:write.public": "post to public channels without an invitation",
    "groups:read": "offer the private channels the app was invited to",
}
ALL = (*REQUIRED, *OPTIONAL)
