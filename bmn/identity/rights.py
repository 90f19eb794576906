"""What each role may do. Which route and which message asks for which right is `bmn.server.access.permissions`' business."""

from enum import StrEnum

from bmn.schemas.base import Role

__all__ = ["RIGHTS", "Right", "Role", "roles_with"]


class Right(StrEnum):
    """OWN: one's own brands, jobs, files and credits. SEE: the lists of operators, without personal data.

    REVEAL: what operators write, and, for whoever says why, others' words and pictures.
    OPERATE: retry, cancel, replay, pause, resume.
    FOLLOW: the one thing that a browser's token is for; no role has it.
    ADMINISTER: grants, keys, giving dead letters up. ACT_FOR: mails, CRM events and submissions on behalf of users.
    """

    OWN = "own"
    SEE = "see"
    REVEAL = "reveal"
    OPERATE = "operate"
    ADMINISTER = "administer"
    ACT_FOR = "act_for"
    FOLLOW = "follow"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.SEE}),
    Role.OPERATOR: frozenset({Right.OWN, Right.SEE, Right.REVEAL, Right.OPERATE}),
    Role.ADMIN: frozenset(Right) - {Right.FOLLOW},
    Role.SERVICE: frozenset({Right.OWN, Right.ACT_FOR}),
    Role.USER: frozenset({Right.OWN}),
}


def roles_with(right: Right) -> list[str]:
    """The roles that have a right, for whoever lacks it."""
    return [role.value for role, rights in RIGHTS.items() if right in rights]
