"""Is the link of an account to Slack all right? For support staff, to look and not to touch."""

from typing import Any

from flask import Blueprint, Response, request

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import looks
from portal.domain.audit import queries as audit
from portal.domain.audit.looks import Look, Seen
from portal.errors import Denied
from portal.slack import errors, link_health, linked_workspaces
from portal.slack.installations import LinkState, SlackInstallation
from portal.web.access import requires, viewer
from portal.web.audit_words import tell
from portal.web.render import page, row_id, search_text

bp = Blueprint("workspaces", __name__)

STATES = {state.value: state for state in LinkState}
FILTERS = ("state", "q")
HISTORY = 20  # entries


@bp.get("/support/workspaces")
@requires(Permission.SEE_ALL_WORKSPACES)
def index() -> Response:
    """The newest links first, fifty on a page; unknown filters mean the usual ones."""
    state = STATES.get(request.args.get("state", ""))
    found = linked_workspaces.workspaces(
        viewer(),
        state=state,
        search=search_text(request.args.get("q", "")),
        before_id=row_id(request.args.get("before")),
    )
    shown = found[: linked_workspaces.PAGE]
    is_poll = request.headers.get("HX-Target") == "workspace-list"
    return _noted_and_shown(
        Look.LIST,
        shown,
        f"support/workspaces/{'_list' if is_poll else 'index'}.html",
        installations=shown,
        deliveries=link_health.of_accounts([each.account_id for each in shown]),
        counts=linked_workspaces.counts(viewer()),
        state=state,
        filters={name: request.args[name] for name in FILTERS if request.args.get(name)},
        is_first_page="before" not in request.args,
        next_before=shown[-1].id if len(found) > linked_workspaces.PAGE else None,
    )


@bp.get("/support/workspaces/<int:workspace_id>")
@requires(Permission.SEE_ALL_WORKSPACES)
def show(workspace_id: int) -> Response:
    installation = linked_workspaces.workspace(viewer(), workspace_id)
    account_id = installation.account_id
    channels = link_health.by_channel(account_id)
    history = audit.link_history(viewer(), account_id, limit=HISTORY)
    is_poll = request.headers.get("HX-Target") == "workspace-state"
    return _noted_and_shown(
        Look.PAGE,
        [installation],
        f"support/workspaces/{'_state' if is_poll else 'show'}.html",
        installation=installation,
        channels=channels,
        deliveries=link_health.in_all(channels),
        asked_to_wait=link_health.asked_to_wait(account_id),
        history=[tell(entry) for entry in history],
    )


@bp.route("/support/workspaces", methods=["POST", "PUT", "PATCH", "DELETE"])
@bp.route("/support/workspaces/<int:workspace_id>", methods=["POST", "PUT", "PATCH", "DELETE"])
@requires(Permission.SEE_ALL_WORKSPACES)
def refuse(workspace_id: int | None = None) -> Response:
    raise Denied("Support staff look at workspaces and change nothing.")


def _noted_and_shown(
    where: Look, shown: list[SlackInstallation], template: str, **context: Any
) -> Response:
    """What cannot be written to the accounts' audit logs is not shown (product.md section 10)."""
    seen = [Seen(each.account_id, each.team_id, each.team_name) for each in shown]
    looks.note(seen, where, by=viewer())
    answer = page(template, words=errors.words, **context)
    db.session.commit()
    return answer
