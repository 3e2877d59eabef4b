"""Who may do what? One table (product.md section 10); everything else asks it."""

from enum import Enum, StrEnum, auto


class Role(StrEnum):
    STAKEHOLDER = "stakeholder"
    RESPONDER = "responder"
    USER = "user"
    ADMIN = "admin"
    OWNER = "owner"
    SUPPORT = "support"  # staff outside all accounts


class Permission(Enum):
    """What a route or an operation asks for."""

    OWN_PROFILE = auto()
    SEE_CONNECTORS = auto()
    SEE_ALERTS = auto()
    RESPOND_TO_ALERTS = auto()
    SEE_ALERT_SOURCES = auto()
    MANAGE_ALERT_SOURCES = auto()
    MANAGE_ALERT_ACTIONS = auto()
    SEE_ESCALATION_POLICIES = auto()  # and who is on call
    MANAGE_ESCALATION_POLICIES = auto()
    SEE_SCHEDULES = auto()
    OVERRIDE_ONESELF = auto()
    OVERRIDE_ANYBODY = auto()
    MANAGE_SCHEDULES = auto()
    MANAGE_CONNECTORS = auto()
    MANAGE_USERS = auto()
    SEE_AUDIT_LOG = auto()
    SEE_ALL_WORKSPACES = auto()


STAKEHOLDER = frozenset({Permission.OWN_PROFILE, Permission.SEE_CONNECTORS})
RESPONDER = STAKEHOLDER | {
    Permission.SEE_ALERTS,
    Permission.RESPOND_TO_ALERTS,
    Permission.SEE_ALERT_SOURCES,
    Permission.SEE_ESCALATION_POLICIES,
    Permission.SEE_SCHEDULES,
    Permission.OVERRIDE_ONESELF,
}
USER = RESPONDER | {
    Permission.MANAGE_ALERT_SOURCES,
    Permission.MANAGE_ALERT_ACTIONS,
    Permission.MANAGE_ESCALATION_POLICIES,
    Permission.OVERRIDE_ANYBODY,
    Permission.MANAGE_SCHEDULES,
}
ADMIN = USER | {
    Permission.MANAGE_CONNECTORS,
    Permission.MANAGE_USERS,
    Permission.SEE_AUDIT_LOG,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STAKEHOLDER: STAKEHOLDER,
    Role.RESPONDER: RESPONDER,
    Role.USER: USER,
    Role.ADMIN: ADMIN,
    Role.OWNER: ADMIN,
    Role.SUPPORT: frozenset({Permission.OWN_PROFILE, Permission.SEE_ALL_WORKSPACES}),
}

REFUSALS: dict[Permission, str] = {
    Permission.SEE_ALERTS: "Your role does not show alerts. Ask an admin for the role responder.",
    Permission.RESPOND_TO_ALERTS: (
        "You may not change alerts. Ask an admin for the role responder."
    ),
    Permission.SEE_ALERT_SOURCES: (
        "Your role does not show alert sources. Ask an admin for the role responder."
    ),
    Permission.MANAGE_ALERT_SOURCES: (
        "You may not change alert sources. Ask an admin for the role user."
    ),
    Permission.MANAGE_ALERT_ACTIONS: (
        "You may not change alert actions. Ask an admin for the role user."
    ),
    Permission.SEE_ESCALATION_POLICIES: (
        "Your role does not show who is on call. Ask an admin for the role responder."
    ),
    Permission.MANAGE_ESCALATION_POLICIES: (
        "You may not change escalation policies. Ask an admin for the role user."
    ),
    Permission.SEE_SCHEDULES: (
        "Your role does not show schedules. Ask an admin for the role responder."
    ),
    Permission.OVERRIDE_ONESELF: ("You may not take shifts. Ask an admin for the role responder."),
    Permission.OVERRIDE_ANYBODY: (
        "You may take shifts yourself, not enter other people. Ask an admin for the role user."
    ),
    Permission.MANAGE_SCHEDULES: "You may not change schedules. Ask an admin for the role user.",
    Permission.MANAGE_CONNECTORS: "Only admins can link Slack. Ask an admin of your account.",
    Permission.MANAGE_USERS: "Only admins can manage people. Ask an admin of your account.",
    Permission.SEE_AUDIT_LOG: "Only admins can read the audit log. Ask an admin of your account.",
}
# Whoever lacks one of these is not told either that there is something to be seen.
HIDDEN = frozenset({Permission.SEE_ALL_WORKSPACES})
REFUSED = "You may not do this. Ask an admin of your account."
