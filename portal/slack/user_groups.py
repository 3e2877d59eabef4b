"""Which Slack user group follows who is on call, and does it show them? One group per policy.

Optional, and switched on per policy: mentioning the group reaches whoever is asked first just now.
https://docs.slack.dev/reference/methods/usergroups.users.update
"""

from datetime import timedelta

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from portal.db import Base, db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.escalation import outlook, queries
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.facts import WorkspaceLinked
from portal.errors import Conflict, Invalid
from portal.jobs.engine import job, wake
from portal.slack import installations, people, workspace
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials

SCOPES = frozenset({"usergroups:read", "usergroups:write"})
LONGEST_HANDLE = 80
NO_SUCH_GROUP = "no_such_group"  # ours: Slack lists no group with this handle
AGAIN = (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT, Meaning.LINK_DEAD)
# Final until somebody changes something: codes of Slack's that count as temporary elsewhere.
FINAL = {
    "permission_denied",
    "plan_upgrade_required",
    "no_such_subteam",
    "invalid_users",
    "missing_scope",
    NO_SUCH_GROUP,
}


class UserGroup(Base):
    """A policy's group. Only a job changes who is in it, and it is never emptied."""

    __tablename__ = "slack_user_groups"

    policy_id: Mapped[int] = mapped_column(
        ForeignKey("escalation_policies.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    handle: Mapped[str]  # without the @
    # As we last set them, or as Slack last said.
    members: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    problem: Mapped[str | None]  # a code; nothing is tried until the group is saved again

    policy: Mapped[EscalationPolicy] = relationship()


def of_policy(policy_id: int) -> UserGroup | None:
    return db.session.get(UserGroup, policy_id)


def choose(policy_id: int, handle: str, *, by: User) -> None:
    """Have this group follow the policy; an empty handle ends it and leaves the group as it is.

    Raises Invalid, and Conflict where no workspace is linked.
    """
    by.require(Permission.MANAGE_ESCALATION_POLICIES)
    policy = queries.policy(by, policy_id)
    wanted = handle.strip().removeprefix("@").lower()
    if len(wanted) > LONGEST_HANDLE or any(map(str.isspace, wanted)) or not wanted.isprintable():
        raise Invalid("Please give the group’s handle, like @platform-oncall.", field="handle")
    if installations.of_account(policy.account_id) is None:
        raise Conflict("No Slack workspace is linked. An admin can link one under ⚙ → Connectors.")
    group = of_policy(policy.id)
    before = group.handle if group else "none"
    if group is not None:
        db.session.delete(group)
        db.session.flush()
    if wanted:
        db.session.add(UserGroup(policy_id=policy.id, account_id=policy.account_id, handle=wanted))
        wake(sync_user_group, policy_id=policy.id)
    log.record(
        AuditAction.ESCALATION_POLICY_CHANGED,
        account_id=policy.account_id,
        by=by,
        subject=f"escalation policy {policy.name}",
        user_group=wanted or "none",
        user_group_before=before,
    )
    db.session.commit()


def try_again(fact: WorkspaceLinked) -> None:
    """Authorized again, so that a scope may be there now; the clock looks within a minute."""
    lacked = update(UserGroup).where(
        UserGroup.account_id == fact.account_id, UserGroup.problem == "missing_scope"
    )
    db.session.execute(lacked.values(problem=None))


def wake_all() -> None:
    """Look at every group: shifts and policies may have changed. The caller commits."""
    wanted = select(UserGroup.policy_id).where(UserGroup.problem.is_(None))
    for policy_id in db.session.scalars(wanted.order_by(UserGroup.policy_id)):
        wake(sync_user_group, policy_id=policy_id)


def compare_all() -> None:
    """Ask Slack who is in each group: somebody may have changed it there. The caller commits."""
    wanted = select(UserGroup.policy_id).where(UserGroup.problem.is_(None))
    for policy_id in db.session.scalars(wanted.order_by(UserGroup.policy_id)):
        wake(compare_user_group, policy_id=policy_id)


@job("compare_user_group:{policy_id}")
def compare_user_group(policy_id: int) -> None:
    """Take over what Slack says of the group, so that whatever differs is set right."""
    group = of_policy(policy_id)
    installation = installations.of_account(group.account_id) if group else None
    if group is None or group.problem or installation is None or not installation.is_working:
        return
    credentials, handle = installation.credentials, group.handle
    db.session.commit()
    try:
        if not credentials.scopes >= SCOPES:
            raise SlackError("missing_scope")  # no call is tried
        usergroup = _id_of(credentials, handle)
        found = workspace.call(credentials, "usergroups.users.list", usergroup=usergroup)
    except SlackError as problem:
        _not_synced(policy_id, problem)
        return
    group = of_policy(policy_id)
    if group is not None and group.handle == handle:
        group.members = sorted(str(member) for member in found.get("users") or [])
        wake(sync_user_group, policy_id=policy_id)
    db.session.commit()


@job("user_group:{policy_id}")
def sync_user_group(policy_id: int) -> None:
    """Make the group equal to who is on call, if it is not and if that is somebody."""
    group = of_policy(policy_id)
    installation = installations.of_account(group.account_id) if group else None
    if group is None or group.problem or installation is None or not installation.is_working:
        return
    members, handle = _on_call(group.policy), group.handle
    if not members or members == group.members:
        return
    credentials = installation.credentials
    db.session.commit()
    try:
        if not credentials.scopes >= SCOPES:
            raise SlackError("missing_scope")  # no call is tried
        workspace.call(
            credentials,
            "usergroups.users.update",
            usergroup=_id_of(credentials, handle),
            users=",".join(members),
        )
    except SlackError as problem:
        _not_synced(policy_id, problem)
        return
    group = of_policy(policy_id)
    if group is not None and group.handle == handle:
        group.members = members
    db.session.commit()


def _on_call(policy: EscalationPolicy) -> list[str]:
    """The Slack users who would be asked first now: those of the first level with anybody."""
    for level in outlook.levels(policy.plan, now()):
        ids = [turn.person.id for turn in level.turns if turn.person]
        if ids:
            return sorted(set(people.slack_ids(ids).values()))
    return []


def _id_of(credentials: Credentials, handle: str) -> str:
    groups = workspace.call(credentials, "usergroups.list").get("usergroups") or []
    for group in groups:
        if str(group.get("handle") or "").lower() == handle:
            return str(group.get("id"))
    raise SlackError(NO_SUCH_GROUP)


def _not_synced(policy_id: int, problem: SlackError) -> None:
    group = of_policy(policy_id)
    if group is not None and (problem.code in FINAL or problem.meaning not in AGAIN):
        group.problem = problem.code
    elif group is not None and problem.retry_after is not None:
        at = now() + timedelta(seconds=problem.retry_after)
        wake(sync_user_group, at=at, policy_id=policy_id)
    db.session.commit()  # anything else is tried again when the clock looks at every group
