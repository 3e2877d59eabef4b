"""How is an alert action filled in, and what does the audit log say of it? Within an operation."""

from portal.domain.accounts.models import User
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.routing.drafts import ActionDraft, shown
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.domain.routing.triggers import LABELS, Trigger
from portal.errors import NotFound


def fill(action: AlertAction, draft: ActionDraft) -> None:
    """Make the action what the draft says. Raises Invalid, and NotFound for others' sources."""
    draft.check()
    if any(source.account_id != action.account_id for source in draft.sources):
        raise NotFound("There is no such alert source in your account.")
    action.name, action.mode = draft.called, draft.mode
    action.sources = list(dict.fromkeys(draft.sources))  # one may be named twice
    known = {channel.channel_id: channel for channel in action.channels}
    action.channels = [
        known.get(channel_id) or ActionChannel(channel_id=channel_id, account_id=action.account_id)
        for channel_id in dict(draft.channels)
    ]
    names = {each[0]: shown(each) for each in draft.channels}
    for channel in action.channels:
        channel.channel_name = names[channel.channel_id]
    action.trigger_names = [each.value for each in Trigger if each in draft.triggers]
    action.ended_after, action.not_resolved_after = draft.ended_after, draft.not_resolved_after
    action.stored_conditions = [each.to_json() for each in draft.conditions]
    action.needs_all, action.after_storm = draft.needs_all, draft.after_storm
    fallback = draft.fallback
    action.fallback_channel_id = fallback[0] if fallback else None
    action.fallback_channel_name = shown(fallback) if fallback else None


def audit_change(action: AlertAction, before: dict[str, str], by: User) -> None:
    """Write down what is different from `before`, which described() gave; nothing if nothing is."""
    changed = log.changes(before, described(action))
    if changed:
        audit(AuditAction.ALERT_ACTION_CHANGED, action, by, **changed)


def audit(action: AuditAction, subject: AlertAction, by: User | str, **details: str) -> None:
    log.record(
        action,
        account_id=subject.account_id,
        by=by,
        subject=f"alert action {subject.name}",
        **described(subject),
        **details,
    )


def described(action: AlertAction) -> dict[str, str]:
    """All of it in words, for the audit log."""
    days = action.archive_channel_days
    joined = " and " if action.needs_all else " or "
    return {
        "name": action.name,
        "channel": ", ".join(each.channel_name for each in action.channels),
        "channel_id": ", ".join(each.channel_id for each in action.channels),
        "sources": ", ".join(sorted(source.name for source in action.sources)),
        "mode": action.mode,
        "updates": ", ".join(map(LABELS.__getitem__, action.triggers)) or "none",
        "conditions": joined.join(map(str, action.conditions)) or "none",
        "ended_after": f"{action.ended_after} s",
        "not_resolved_after": f"{action.not_resolved_after or 0} s",
        "fallback": action.fallback_channel_name or "none",
        "after_storm": action.after_storm,
        "own_channels": "for high priority" if action.creates_channel else "no",
        "archived": f"after {days} days" if days else "never",
    }
