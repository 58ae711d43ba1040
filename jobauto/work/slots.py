"""Which slot of the daily schedule is owed, and its run.

Whether one is owed is decided by :func:`jobauto.settings.schedule.owed_slot`, who runs it by the database. So
it does not matter how many processes ask, how often, or that the clocks change.
"""

import logging
from datetime import date

from ..clock import Clock, utcnow
from ..detection.service import RunParameters, RunResult, run
from ..extensions import db
from ..logs import LogEvent
from ..runs import lifecycle
from ..runs import queries as runs
from ..runs.overdue import report_if_overdue
from ..settings import service as settings
from ..settings.schedule import owed_slot, slots_open
from ..storage.connections import require_all_machines
from ..storage.leases import LeaseLost

log = logging.getLogger("job_automation")


def tick(clock: Clock = utcnow) -> RunResult | None:
    """Run the slot that is owed, if one is and nobody else has claimed it. Needs an app context.

    A run under way elsewhere is not waited for: the slot stays owed, and the next tick looks again.
    """
    lifecycle.reap_stale_runs()
    try:
        return _run_what_is_owed(clock)
    finally:  # not before: a run that starts late is only told of where it does not start
        report_if_overdue(clock())


def _run_what_is_owed(clock: Clock) -> RunResult | None:
    slot = slot_to_run(clock)
    if slot is None:
        return None
    try:
        return run_slot(slot, clock)
    except (lifecycle.RunInProgress, lifecycle.SlotTaken, LeaseLost) as reason:
        log.info(LogEvent("tick", slot=slot, outcome=type(reason).__name__))
        return None


def slot_to_run(clock: Clock) -> date | None:
    """The slot that is owed, and not taken; nor tried again too soon after it has crashed several times."""
    now = clock()  # first: a time that is moved meanwhile must not be due by the settings of before
    stored = settings.current()
    slot = owed_slot(stored.settings.schedule, stored.slots_owed_from, now)
    if slot is None or db.session.scalar(runs.slot_is_taken(slot)):
        return None
    return None if db.session.scalar(runs.slot_rests(slot, now)) else slot


def slot_to_claim(clock: Clock) -> date:
    """The slot for which somebody asks who keeps the time themselves, such as cron: due or not, the first
    that may be done now and is not taken; where all are, the last."""
    open_now = slots_open(settings.current().settings.schedule, clock())
    untaken = (slot for slot in open_now if not db.session.scalar(runs.slot_is_taken(slot)))
    return next(untaken, open_now[-1])


def run_slot(slot: date, clock: Clock) -> RunResult:
    """The scheduled run of a date. Raises SlotTaken and RunInProgress.

    DatabaseUnreachable is raised before anything is claimed: it costs no attempt.
    """
    require_all_machines()
    return run(RunParameters(trigger="schedule", slot=slot), clock)
