"""Which local date's run is owed. Pure: no clock, no database."""

from datetime import UTC, date, datetime, time, timedelta

from .schema import ScheduleSettings

OVERDUE = timedelta(hours=1)
"""A run that is later than this is worth telling somebody about."""


def due_at(schedule: ScheduleSettings, day: date) -> datetime:
    """The instant, in UTC, at which the run of a local date is due.

    A time that the clocks skip on that date is taken as if they had not yet moved; of one that they show
    twice, the first counts. So each date has exactly one instant.
    """
    wall = datetime.combine(day, time.fromisoformat(schedule.run_time), tzinfo=schedule.zone)
    return wall.astimezone(UTC)


def owed_slot(schedule: ScheduleSettings, owed_from: datetime, now: datetime) -> date | None:
    """The local date whose run should have started by now, if it is today's and owed.

    1. Switched off: none.
    2. Only today's date in the schedule's zone counts: a missed day is not made up for.
    3. It is due once its time has come.
    4. It is owed unless it was due before ``owed_from``: before the database was made, or before the
       schedule was last switched on.
    """
    if not schedule.schedule_enabled:
        return None
    today = now.astimezone(schedule.zone).date()
    return today if owed_from <= due_at(schedule, today) <= now else None


def next_due(
    schedule: ScheduleSettings, owed_from: datetime, now: datetime, *, today_done: bool
) -> datetime | None:
    """When the next scheduled run is due: in the past if it is overdue, None if switched off."""
    if not schedule.schedule_enabled:
        return None
    today = now.astimezone(schedule.zone).date()
    if not today_done and due_at(schedule, today) >= owed_from:
        return due_at(schedule, today)
    return due_at(schedule, today + timedelta(days=1))


def owed_from_after_change(
    before: ScheduleSettings, after: ScheduleSettings, owed_from: datetime, now: datetime
) -> datetime:
    """From when on slots are owed, after the schedule was changed at ``now``.

    1. Switching on: from now.
    2. The run of the same local date was still to come and its time is moved to one that has passed: from
       that time, so that it is due at once, even where that lies before the old bound.
    3. Otherwise as it was.
    """
    if after.schedule_enabled and not before.schedule_enabled:
        return now
    today = now.astimezone(after.zone).date()
    same_date = now.astimezone(before.zone).date() == today
    was_to_come = before.schedule_enabled and same_date and due_at(before, today) > now
    moved_to = due_at(after, today)
    return min(owed_from, moved_to) if was_to_come and moved_to <= now else owed_from
