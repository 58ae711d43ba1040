"""Which local date's run is owed. Pure: no clock, no database."""

from bisect import bisect_left
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from .schema import ScheduleSettings

OVERDUE = timedelta(hours=1)
"""A run that is later than this is worth telling somebody about."""

ONE_DAY = timedelta(days=1)


def due_at(schedule: ScheduleSettings, day: date) -> datetime:
    """The instant, in UTC, at which the run of a local date is due.

    Of a time that the clocks show twice on that date, the first; of one that they skip, the first instant
    after the gap, even where that is the next date. So each date has exactly one instant.
    """
    return _instant(day, time.fromisoformat(schedule.run_time), schedule.zone)


def slots_open(schedule: ScheduleSettings, now: datetime) -> list[date]:
    """The local dates whose run may be done now, in order: today's always.

    Yesterday's too, where the clocks skipped its time and the end of its date with it. It may be caught up
    until the next one is due.
    """
    today = now.astimezone(schedule.zone).date()
    yesterday = today - ONE_DAY
    comes_today = due_at(schedule, yesterday).astimezone(schedule.zone).date() == today
    if comes_today and date_exists(yesterday, schedule.zone) and now < due_at(schedule, today):
        return [yesterday, today]
    return [today]


def owed_slot(schedule: ScheduleSettings, owed_from: datetime, now: datetime) -> date | None:
    """The local date whose run should have started by now, if it is owed.

    1. Switched off: none.
    2. Only what may still be done counts, as :func:`slots_open` says: a missed day is not made up for.
    3. It is due once its time has come.
    4. It is owed unless it was due before ``owed_from``: before the database was made, or before the
       schedule was last switched on.
    """
    if not schedule.schedule_enabled:
        return None
    return next((day for day in slots_open(schedule, now) if owed_from <= due_at(schedule, day) <= now), None)


def next_due(
    schedule: ScheduleSettings, owed_from: datetime, now: datetime, taken: Collection[date | None]
) -> datetime | None:
    """When the next scheduled run is due: in the past if it is overdue, None if switched off.

    ``taken`` are the local dates, from yesterday on, that get no run any more: one that was moved from a zone
    further east may be among those that are still to come.
    """
    if not schedule.schedule_enabled:
        return None
    first = slots_open(schedule, max(now, owed_from - ONE_DAY))[0]
    days = (first + timedelta(days=ahead) for ahead in count())
    return next(
        due
        for day in days
        if day not in taken
        and date_exists(day, schedule.zone)
        and (due := due_at(schedule, day)) >= owed_from
    )


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(day, clock, tzinfo=zone)
    first, other = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    if first <= other:
        return first
    # The clocks skip it: the gap ends somewhere between the two, when they have moved.
    after = wall.replace(fold=1).utcoffset()
    seconds = range((first - other) // timedelta(seconds=1))
    return other + timedelta(
        seconds=bisect_left(
            seconds, True, key=lambda second: _offset(other + timedelta(seconds=second), zone) == after
        )
    )


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def date_exists(day: date, zone: ZoneInfo) -> bool:
    """Whether the clocks show that date at all: Samoa went from 29 to 31 December 2011."""
    return _instant(day, time(), zone).astimezone(zone).date() == day


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
