"""What is asked about changes."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from ..models import Event

SHOWN = 500
"""Changes of a thing that its page shows, the newest: a script may have made any number of them."""


def events_for(subject: str, subject_id: object) -> Select[Any]:
    """The history of one thing, oldest first."""
    return (
        select(Event).where(Event.subject == subject, Event.subject_id == str(subject_id)).order_by(Event.id)
    )


def newest_events_for(subject: str, subject_id: object) -> Select[Any]:
    """Of that history what a page shows, and one more that says that there is more; newest first."""
    return events_for(subject, subject_id).order_by(None).order_by(Event.id.desc()).limit(SHOWN + 1)


def changes_of(subject: str, subject_id: object, field: str) -> Select[Any]:
    """All changes of one field of one thing, oldest first."""
    return events_for(subject, subject_id).where(Event.field == field)


def events_of_bulk(bulk_id: int, job_id: int) -> Select[Any]:
    """What an action on several jobs has changed of one of them."""
    return events_for("job", job_id).where(Event.bulk_id == bulk_id)


def notes_of(job_ids: Iterable[int]) -> Select[Any]:
    """The notes of jobs, newest first."""
    of_jobs = Event.subject_id.in_(map(str, job_ids))
    return (
        select(Event).where(Event.subject == "job", of_jobs, Event.field == "note").order_by(Event.id.desc())
    )


def last_change(subject: str, subject_id: object, field: str) -> Select[Any]:
    """The newest change of one field of one thing."""
    return (
        select(Event)
        .where(Event.subject == subject, Event.subject_id == str(subject_id), Event.field == field)
        .order_by(Event.id.desc())
        .limit(1)
    )


def last_change_of_setting(field: str) -> Select[Any]:
    """The newest change of one setting, such as ``ZERO_READS.days_to_check``."""
    return (
        select(Event)
        .where(Event.subject == "settings", Event.field == field)
        .order_by(Event.id.desc())
        .limit(1)
    )


def events_matching(*, who: str = "", subject: str = "", subject_id: str = "") -> Select[Any]:
    """Changes, newest first, narrowed by what is given."""
    query = select(Event).order_by(Event.id.desc())
    if who:
        query = query.where(Event.who == who)
    if subject:
        query = query.where(Event.subject == subject)
    if subject_id:
        query = query.where(Event.subject_id == subject_id)
    return query
