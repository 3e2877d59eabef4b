"""Who is asked about an alert, in which order, and for how long?"""

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import StringField

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.escalation import outlook, policies, queries
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.oncall import queries as oncall
from portal.errors import Conflict, Invalid
from portal.slack import installations, user_groups
from portal.slack.errors import words
from portal.web import policy_form, reachability
from portal.web.access import requires, viewer
from portal.web.paging import part
from portal.web.policy_form import PolicyForm, TypedLevel
from portal.web.render import form_errors, fragment, page

bp = Blueprint("escalation_policies", __name__)


class UserGroupForm(FlaskForm):  # type: ignore[misc]
    handle = StringField("Handle of the group that follows who is on call")


Answer = Response | WerkzeugResponse


@bp.get("/escalation-policies")
@requires(Permission.SEE_ESCALATION_POLICIES)
def index() -> Response:
    shown = part(queries.policies_of(viewer()))
    return page(
        "escalation_policies/index.html",
        part=shown,
        levels=outlook.levels_of({policy.id: policy.plan for policy in shown.items}, now()),
        used_by=queries.used_by(viewer()),
        can_manage=viewer().can(Permission.MANAGE_ESCALATION_POLICIES),
    )


@bp.get("/escalation-policies/<int:policy_id>")
@requires(Permission.SEE_ESCALATION_POLICIES)
def show(policy_id: int) -> Response:
    return _show(policy_id, UserGroupForm(formdata=None, obj=user_groups.of_policy(policy_id)))


def _show(policy_id: int, group_form: UserGroupForm, status: int = 200) -> Response:
    policy = queries.policy(viewer(), policy_id)
    group = user_groups.of_policy(policy.id)
    return page(
        "escalation_policies/show.html",
        status=status,
        group_form=group_form,
        group=group,
        group_problem=words(group.problem) if group and group.problem else "",
        can_use_groups=installations.of_account(policy.account_id) is not None,
        policy=policy,
        levels=outlook.levels(policy.plan, now()),
        reach=reachability.of_account(viewer(), accounts.people_of(viewer())),
        sources=queries.sources_using(policy),
        can_manage=viewer().can(Permission.MANAGE_ESCALATION_POLICIES),
    )


@bp.post("/escalation-policies/<int:policy_id>/user-group")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def choose_user_group(policy_id: int) -> Answer:
    form = UserGroupForm()
    try:
        user_groups.choose(policy_id, form.handle.data or "", by=viewer())
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        form_errors(form, Invalid(str(problem), field="handle"))
        return _show(policy_id, form, status=422)
    flash("Saved. The user group follows within a minute." if form.handle.data else "Saved.")
    return redirect(url_for(".show", policy_id=policy_id))


@bp.get("/escalation-policies/new")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def new() -> Response:
    return _form(PolicyForm(formdata=None), [TypedLevel()], None)


@bp.post("/escalation-policies/new")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def create() -> Answer:
    """Save the form; or, when one of the editor's buttons was pressed, answer with it changed."""
    form, levels, account = PolicyForm(), policy_form.typed(request.form), viewer().account
    assert account is not None  # noqa: S101 - whoever may manage policies has an account
    if "do" in request.form:
        return _edited(form, levels, None)
    try:
        policy = policies.create(policy_form.draft(form, levels), account=account, by=viewer())
    except (Invalid, Conflict) as problem:
        return _unfit(form, levels, problem, None)
    return redirect(url_for(".show", policy_id=policy.id))


@bp.get("/escalation-policies/<int:policy_id>/edit")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def edit(policy_id: int) -> Response:
    policy = queries.policy(viewer(), policy_id)
    return _form(PolicyForm(formdata=None, obj=policy), policy_form.of_policy(policy), policy)


@bp.post("/escalation-policies/<int:policy_id>/edit")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def change(policy_id: int) -> Answer:
    form, levels = PolicyForm(), policy_form.typed(request.form)
    if "do" in request.form:
        return _edited(form, levels, queries.policy(viewer(), policy_id))
    try:
        policies.change(policy_id, policy_form.draft(form, levels), by=viewer())
    except (Invalid, Conflict) as problem:
        return _unfit(form, levels, problem, policy_id)
    flash("Saved. Alerts that are open already keep the rules they began with.", "success")
    return redirect(url_for(".show", policy_id=policy_id))


@bp.post("/escalation-policies/<int:policy_id>/delete")
@requires(Permission.MANAGE_ESCALATION_POLICIES)
def delete(policy_id: int) -> WerkzeugResponse:
    name = queries.policy(viewer(), policy_id).name
    try:
        policies.delete(policy_id, by=viewer())
    except Conflict as problem:
        db.session.rollback()
        flash(str(problem), "warning")
        return redirect(url_for(".show", policy_id=policy_id))
    flash(f"{name} is deleted.", "success")
    return redirect(url_for(".index"))


def _form(
    form: PolicyForm,
    levels: list[TypedLevel],
    policy: EscalationPolicy | None,
    status: int = 200,
    focus: str = "",
) -> Response:
    return page(
        "escalation_policies/form.html",
        status=status,
        form=form,
        policy=policy,
        levels=levels,
        choices=_choices(),
        focus=focus,
    )


def _edited(form: PolicyForm, levels: list[TypedLevel], policy: EscalationPolicy | None) -> Answer:
    levels, focus = policy_form.edited(levels, request.form["do"])
    # Also a button that was pressed before HTMX had taken it over: the whole page comes back.
    if not request.headers.get("HX-Request"):
        return _form(form, levels, policy, focus=focus)
    return fragment(
        "escalation_policies/_levels.html",
        form=form,
        levels=levels,
        choices=_choices(),
        focus=focus,
    )


def _unfit(
    form: PolicyForm, levels: list[TypedLevel], problem: Invalid | Conflict, policy_id: int | None
) -> Response:
    """The form with everything that was typed, and the sentence where it belongs."""
    db.session.rollback()
    place = problem.field if isinstance(problem, Invalid) else "name"
    kind, _, rest = (place or "").partition("-")
    if kind == "rules" and rest:
        number, _, part = rest.partition("-")
        levels[int(number)].errors[part] = str(problem)
    else:
        form_errors(form, Invalid(str(problem), field=place))
    policy = None if policy_id is None else queries.policy(viewer(), policy_id)
    return _form(form, levels, policy, status=422)


def _choices() -> dict[str, str]:
    """Whom a level can name: the value in the form → the name."""
    may_answer = accounts.who_may(Permission.RESPOND_TO_ALERTS, viewer().account_id)
    schedules = {f"schedule:{each.id}": each.name for each in oncall.schedules_of(viewer())}
    return schedules | {f"person:{each.id}": each.name for each in db.session.scalars(may_answer)}
