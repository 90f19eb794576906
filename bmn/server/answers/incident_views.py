"""Incidents as the API's documents: with the command that mends them, and the words for the users concerned."""

from collections.abc import Iterable
from datetime import UTC, datetime

from bmn.db.operators.alert_store import Alert
from bmn.db.operators.incidents import Account, Surge
from bmn.errors import CAUSES
from bmn.schemas import documents
from bmn.schemas.base import when
from bmn.server.answers import operator_views

_SHOWN = 100


def incidents(alerts: Iterable[Alert], surges: Iterable[Surge]) -> documents.Incidents:
    """What is going on."""
    return documents.Incidents(
        alerts=[operator_views.alert(row) for row in alerts],
        causes=[
            documents.CauseSurge(
                cause=surge.cause,
                queues=list(surge.queues),
                jobs=surge.jobs,
                share=round(surge.share, 4),
                usual_share=round(surge.usual, 4),
                next_step=f"bmn incident {surge.cause}",
            )
            for surge in surges
        ],
    )


def incident(found: Account) -> documents.Incident:
    """The account of one."""
    of_users = [user for user in found.users if user.user_id]
    return documents.Incident(
        cause=found.cause,
        alert=operator_views.alert(found.alert) if found.alert else None,
        first_seen=when(found.first_seen),
        last_seen=when(found.last_seen),
        jobs=found.count("jobs"),
        healed=found.count("healed"),
        waiting=found.count("waiting"),
        failed=found.count("failed"),
        cancelled=found.count("cancelled"),
        held=found.held,
        users_hurt=len(of_users),
        users_whole=sum(user.whole for user in of_users),
        credits_waiting=found.credits_waiting,
        credits_refunded=found.count("refunded"),
        usd_lost=round(found.usd_lost, 4),
        remedy=_remedy(found),
        advice=CAUSES[found.cause].advice if found.cause else "",
        words=_words(found),
        users=[
            documents.IncidentUser(
                user_id=user.user_id,
                jobs=user.jobs,
                healed=user.healed,
                waiting=user.waiting,
                failed=user.failed,
                cancelled=user.cancelled,
                credits_refunded=user.refunded,
                made_whole=user.whole,
            )
            for user in found.users[:_SHOWN]
        ],
        exact=found.exact,
    )


def _remedy(found: Account) -> str | None:
    """A queue that stands still first, since a replay would only join its line; then the dead letters.

    One that tries its provider by itself is watched: resumed, it would send every job against what is still down.
    """
    if standing := [queue for queue in found.paused if queue not in found.restarts]:
        return f"bmn queues resume {standing[0]}"
    if found.restarts:
        return "bmn queues --watch"
    if found.open_letters:
        return f"bmn jobs dlq replay --cause {found.cause}"
    if found.alert and found.alert.resolved_at is None:
        return operator_views.alert(found.alert).next_step
    return None


def _words(found: Account) -> str:
    """For the users concerned: what happened to them and when, what we did about their money, what follows."""
    if found.first_seen is None:
        return ""
    began = _clock(found.first_seen)
    if found.cause is None:
        return f"Since {began} UTC your pictures may take longer than usual. Nothing is lost, and nothing is charged twice."
    until = _clock(found.last_seen or found.first_seen)
    day, _, time = until.partition(" ")
    until = time if began.startswith(day) else until  # a day is said once
    span = f"At {began} UTC" if began.endswith(until) else f"Between {began} and {until} UTC"
    parts = [f"{span} some of your jobs could not be finished. {CAUSES[found.cause].user_text}"]
    if found.count("waiting") or found.held:
        rest = "" if found.count("failed") else "; you do not have to do anything"
        parts.append(f"Those that wait go on by themselves{rest}.")
    if found.count("failed"):
        parts.append("What was not delivered has been refunded.")
    if found.count("jobs") and not found.count("waiting") and not found.count("failed"):
        parts.append("Everything has been finished since.")
    return " ".join(parts)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
