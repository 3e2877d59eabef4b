"""Where does Slack call us? Verify, parse, hand over, answer well within three seconds."""

import structlog
from flask import Blueprint, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

from portal.db import db
from portal.slack import actions, home, modals, payloads, refusals, shortcuts, suggestions
from portal.slack import commands as commands_
from portal.slack.events import Event, receive
from portal.slack.payloads import (
    BlockAction,
    BlockSuggestion,
    OpenView,
    Shortcut,
    SlashCommand,
)
from portal.slack.signing import signed_by_slack

bp = Blueprint("slack", __name__, url_prefix="/slack")
log = structlog.get_logger()


@bp.post("/interactions")
@signed_by_slack
def interactions() -> ResponseReturnValue:
    """Buttons, shortcuts and modals. What is not ours, or not known any more, is acknowledged and changes
    nothing."""
    payload = payloads.decode(request.form.get("payload", ""))
    kind = payload.get("type")
    if not _is_our_app(payload.get("api_app_id")):
        return "", 200
    if kind == "block_actions":
        click = BlockAction.parse(payload)
        if click is not None and click.team_id and click.user_id:
            return _press(click)
    elif kind in ("shortcut", "message_action"):
        return _shortcut(Shortcut.parse(payload))
    elif kind == "view_submission":
        return _submit(OpenView.parse(payload))
    elif kind == "view_closed":
        modals.close(OpenView.parse(payload))
    return "", 200


@bp.post("/options")
@signed_by_slack
def options() -> ResponseReturnValue:
    """Selects that load their options while somebody types. A fault of ours offers none."""
    suggestion = BlockSuggestion.parse(payloads.decode(request.form.get("payload", "")))
    if not _is_our_app(suggestion.app_id):
        return jsonify(suggestions.NONE)
    try:
        return jsonify(suggestions.suggest(suggestion))
    except Exception:
        db.session.rollback()
        log.exception("suggestion_failed")
        return jsonify(suggestions.NONE)


@bp.post("/commands")
@signed_by_slack
def commands() -> ResponseReturnValue:
    """Slash commands, answered in the 200 and visible to the one who typed only."""
    if request.form.get("ssl_check"):
        return "", 200
    command, answer = SlashCommand.parse(request.form), {"text": commands_.NO_COMMAND}
    try:
        if _is_our_app(command.app_id):
            answer = commands_.run(command)
    except Exception:
        db.session.rollback()
        log.exception("command_failed")
        answer = {"text": refusals.our_fault(g.request_id)}
    return jsonify({"response_type": "ephemeral", **answer}) if answer else ("", 200)


@bp.post("/events")
@signed_by_slack
def events() -> ResponseReturnValue:
    """Events, and Slack's handshake. 200 once the event is carried out, so that Slack repeats it
    after a crash of ours; what is not for us is acknowledged and changes nothing."""
    payload = payloads.decode(request.get_data(as_text=True))
    if payload.get("type") == "url_verification":
        return jsonify(challenge=str(payload.get("challenge", ""))[:1000])
    event = Event.parse(payload)
    if event is not None and _is_our_app(payload.get("api_app_id")):
        receive(event)
    return "", 200


def _is_our_app(app_id: object) -> bool:
    ours = current_app.config["SLACK_APP_ID"]
    return not ours or app_id == ours


def _press(click: BlockAction) -> ResponseReturnValue:
    """200 once the change is stored, or once the person will be told that it is not.

    Only where not even that could be stored does Slack get a 500, and warns the person itself.
    """
    try:
        if click.is_home:
            home.press(click)
        elif click.view is not None:
            modals.act(click)
        else:
            actions.press(click)
    except Exception:
        db.session.rollback()
        log.exception("click_failed")
        actions.apologize(click, g.request_id)
    return "", 200


def _submit(view: OpenView) -> ResponseReturnValue:
    """What Slack does with the modal. A fault of ours is said in it, and what was typed stays."""
    try:
        return jsonify(modals.submit(view))
    except Exception:
        db.session.rollback()
        log.exception("submission_failed")
        return jsonify(modals.refusal(view, refusals.our_fault(g.request_id)))


def _shortcut(shortcut: Shortcut) -> ResponseReturnValue:
    """200 once it is stored that a modal is wanted; a fault of ours is said where there is a place."""
    try:
        shortcuts.run(shortcut)
    except Exception:
        db.session.rollback()
        log.exception("shortcut_failed")
        shortcuts.apologize(shortcut, g.request_id)
    return "", 200
