"""What is somebody told in Slack who may not, or whom we do not know? The sentences of product.md 3.4."""

NOT_LINKED = "This workspace is not linked. An admin can link it under ⚙ → Connectors."
NOT_CONNECTED = (
    "Your Slack user is not connected to an account here. Nothing was changed. Press *Connect*, or"
    " ask an admin for an account with the e-mail address of your Slack profile."
)
NO_SUCH_USER = "Slack does not know your user any more. Nothing was changed."
SLACK_AWAY = "Slack could not say who you are just now. Nothing was changed; please press again."
NOT_AVAILABLE = "This alert is not available here."
OLD_BUTTON = "This button is not in use any more. Nothing was changed."
TOO_LATE = "Slack closed the window before it opened. Please press again."
TOO_OLD = "This window is too old. Nothing was changed; please open it again."


def only_members(team_name: str) -> str:
    """For somebody of another company in a shared channel; no mapping is tried."""
    return f"Only members of {team_name} can act here."


def our_fault(reference: str) -> str:
    """`reference` is the id under which the log has it."""
    return f"Something went wrong here (reference {reference}). Nothing was changed."


def lacks_scope(scope: str) -> str:
    """For want of a permission that an admin can give."""
    return f"The bot may not do this yet (`{scope}`). An admin can re-authorize it under ⚙ → Connectors."
