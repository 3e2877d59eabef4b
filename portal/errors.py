"""Which outcomes do we expect, and what do we tell the person who meets one?

Every edge turns a PortalError into its own kind of answer (a page, a fragment, JSON, an ephemeral
message). Anything else that is raised is a fault: logged once, at the edge, with its trace.
"""

NOTHING_HERE = "The address may be mistyped, or what was here is gone."


class PortalError(Exception):
    """An expected refusal. `str(error)` is a sentence for a person; it says what to do next."""

    status = 400


class Invalid(PortalError):
    """Something in the input does not fit; `field` names it where there is one."""

    status = 422

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Denied(PortalError):
    """The person may not do this."""

    status = 403


class NotFound(PortalError):
    """It does not exist, or not for this person: the two must look alike."""

    status = 404


class Conflict(PortalError):
    """It cannot be done in the present state, for instance because somebody was faster."""

    status = 409


class TooMany(PortalError):
    """Too often. `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
