"""What does an event of our own format say? (`POST /api/events`, product.md section 9)

The names at the wire are ilert's, so that existing senders work.
"""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from portal.domain.alerts.incoming import EventType, IncomingComment, IncomingEvent
from portal.errors import Invalid
from portal.ingest.body import parse_object

LONGEST_KEY = 512  # characters; PostgreSQL indexes no more than 2,700 bytes
WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f]{1,2000}", re.IGNORECASE)

Text = Annotated[str, Field(default="")]


class Wire(BaseModel):
    """Text must be text and numbers numbers; unknown fields are no error."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _null_means_absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None}


class Link(Wire):
    href: Text
    text: Text


class Image(Wire):
    src: Text
    href: Text
    alt: Text


class Comment(Wire):
    creator: Text
    content: str


class NativeEvent(Wire):
    """The body as it is sent; product.md section 9 has the rules field by field."""

    integrationKey: Text
    apiKey: Text  # the older name of integrationKey
    eventType: Annotated[EventType, Field(strict=False)]
    alertKey: Annotated[str, Field(default="", max_length=LONGEST_KEY)]
    summary: Text
    details: Text
    priority: Literal["HIGH", "LOW"] | None = None
    severity: Annotated[int | None, Field(default=None, ge=1, le=5)]
    routingKey: Text
    links: list[Link] = []
    images: list[Image] = []
    comments: list[Comment] = []
    labels: dict[str, str] = {}
    customDetails: Any = None

    @model_validator(mode="after")
    def _required_together(self) -> Self:
        if not (self.integrationKey or self.apiKey).strip():
            raise _missing("integrationKey", "is required")
        if self.eventType is EventType.ALERT and not self.summary.strip():
            raise _missing("summary", "is required for ALERT")
        if self.eventType is not EventType.ALERT and not self.alertKey.strip():
            raise _missing("alertKey", f"is required for {self.eventType}")
        return self


def parse(raw: bytes) -> tuple[str, IncomingEvent]:
    """Return the integration key and the event. Raises Invalid, which names the field."""
    body = parse_object(raw)
    try:
        sent = NativeEvent.model_validate(body)
    except ValidationError as problem:
        raise invalid(problem.errors()[0]) from None
    notes: list[str] = []
    event = IncomingEvent(
        type=sent.eventType,
        alert_key=sent.alertKey.strip() or None,
        summary=sent.summary.strip(),
        details=sent.details,
        priority=sent.priority,
        severity=sent.severity,
        routing_key=sent.routingKey.strip() or None,
        links=_links(sent.links, notes),
        images=_images(sent.images, notes),
        labels=sent.labels,
        custom_details=sent.customDetails,
        comments=[IncomingComment(c.creator.strip(), c.content) for c in sent.comments],
        notes=notes,
    )
    return (sent.integrationKey or sent.apiKey).strip(), event


def _links(sent: list[Link], notes: list[str]) -> list[dict[str, str]]:
    kept = []
    for number, link in enumerate(sent):
        if href := web_address(link.href, f"links.{number}.href", notes):
            kept.append({"href": href, "text": link.text})
    return kept


def _images(sent: list[Image], notes: list[str]) -> list[dict[str, str]]:
    kept = []
    for number, image in enumerate(sent):
        src = web_address(image.src, f"images.{number}.src", notes)
        href = web_address(image.href, f"images.{number}.href", notes) if image.href else ""
        if src:
            kept.append({"src": src, "href": href, "alt": image.alt})
    return kept


def web_address(value: str, field: str, notes: list[str]) -> str:
    """The address, or nothing and a note: an alert is worth more than a link in it."""
    try:
        if WEB_ADDRESS.fullmatch(value) and urlsplit(value).hostname:
            return value
    except ValueError:  # for instance http://[
        pass
    notes.append(f"{field} was dropped: it is not an http or https address.")
    return ""


def _missing(field: str, problem: str) -> PydanticCustomError:
    return PydanticCustomError("missing", "{problem}", {"field": field, "problem": problem})


def invalid(error: ErrorDetails) -> Invalid:
    field = ".".join(map(str, error["loc"])) or str(error.get("ctx", {}).get("field", ""))
    problem = "is required" if error["msg"] == "Field required" else error["msg"]
    return Invalid(f"{field}: {problem}.", field=field)
