"""Which deeds are audited? A closed list: nothing else can be written.

Each has a sentence for people in portal/web/audit_words.py; a test says so when one is missing.
"""

from enum import StrEnum


class AuditAction(StrEnum):
    ACCOUNT_CREATED = "account_created"
    USER_CREATED = "user_created"
    USER_INVITED = "user_invited"
    USER_INVITED_AGAIN = "user_invited_again"
    INVITATION_ACCEPTED = "invitation_accepted"
    ROLE_CHANGED = "role_changed"
    USER_DEACTIVATED = "user_deactivated"
    USER_REACTIVATED = "user_reactivated"
    PHONE_CHANGED = "phone_changed"
    TIME_ZONE_CHANGED = "time_zone_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    SIGN_IN_LINK_CREATED = "sign_in_link_created"
    SIGN_IN_LINK_USED = "sign_in_link_used"
    SIGN_IN_REVOKED = "sign_in_revoked"
    SOURCE_CREATED = "source_created"
    SOURCE_CHANGED = "source_changed"
    SOURCE_DISABLED = "source_disabled"
    SOURCE_ENABLED = "source_enabled"
    INTEGRATION_KEY_ROTATED = "integration_key_rotated"
    SLACK_SETTINGS_CHANGED = "slack_settings_changed"
    ALERT_ACTION_CREATED = "alert_action_created"
    ALERT_ACTION_CHANGED = "alert_action_changed"
    ALERT_ACTION_DELETED = "alert_action_deleted"
    ALERT_ACTION_TESTED = "alert_action_tested"
    ESCALATION_POLICY_CREATED = "escalation_policy_created"
    ESCALATION_POLICY_CHANGED = "escalation_policy_changed"
    ESCALATION_POLICY_DELETED = "escalation_policy_deleted"
    SCHEDULE_CREATED = "schedule_created"
    SCHEDULE_CHANGED = "schedule_changed"
    SCHEDULE_DELETED = "schedule_deleted"
    SHIFT_ADDED = "shift_added"
    SHIFT_REMOVED = "shift_removed"
    OVERRIDE_CREATED = "override_created"
    OVERRIDE_REMOVED = "override_removed"
    CALENDAR_LINK_CREATED = "calendar_link_created"
    CALENDAR_LINK_REVOKED = "calendar_link_revoked"
    WORKSPACE_LINKED = "workspace_linked"
    WORKSPACE_REAUTHORIZED = "workspace_reauthorized"
    WORKSPACE_UNLINKED = "workspace_unlinked"
    WORKSPACE_LIMITED = "workspace_limited"
    WORKSPACE_COMPLETE = "workspace_complete"
    WORKSPACE_BROKEN = "workspace_broken"
    WORKSPACE_VIEWED_BY_SUPPORT = "workspace_viewed_by_support"
