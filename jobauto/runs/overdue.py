"""Whether the daily run did not happen."""

from datetime import date, datetime

from ..extensions import db
from ..notifications import service as notifications
from ..settings import service as settings
from ..settings.schedule import OVERDUE, due_at, owed_slot
from . import queries


def overdue_slot(now: datetime) -> date | None:
    """The local date whose run is owed, late by more than an hour, and still not done or under way."""
    stored = settings.current()
    schedule = stored.settings.schedule
    slot = owed_slot(schedule, stored.slots_owed_from, now)
    if slot is None or now - due_at(schedule, slot) <= OVERDUE:
        return None
    return None if db.session.scalar(queries.slot_is_taken(slot)) else slot


def report_if_overdue(now: datetime) -> date | None:
    """Report a daily run that did not happen, once, whoever looks; returns its date."""
    slot = overdue_slot(now)
    if slot is not None:
        notifications.run_overdue(slot, now)
    return slot
