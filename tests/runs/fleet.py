"""What the drills of this folder share: a fleet with known faults, and looks at what came of it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Job, Run, SettingsVersion, Site
from tests.fleets import NOON, add_site, daily, days_before

SILENT, FLAT, WELL = 12, 8, 5


def add_faulty_fleet(now: datetime = NOON) -> None:
    """Sites that went silent, sites that stand still and sites that are well, as of ``now``."""
    for number in range(SILENT):
        add_site(f"silent-{number}", {days_before(9, now): 100})
    for number in range(FLAT):
        add_site(f"flat-{number}", daily([7, 7, 7, 7], now - timedelta(hours=1)))
    for number in range(WELL):
        add_site(f"well-{number}", daily([1, 2, 3, 4], now - timedelta(hours=1)))


def every_fault_has_one_job() -> bool:
    """Whether each fault of the fleet has exactly one job, and nothing else has any."""
    fresh()
    jobs = Counter(map(tuple, db.session.execute(select(Site.site_id, Job.rule).join(Job))))
    db.session.rollback()
    silent = {(f"silent-{number}", "no_coms"): 1 for number in range(SILENT)}
    flat = {(f"flat-{number}", "zero_reads"): 1 for number in range(FLAT)}
    return jobs == Counter(silent | flat)


def statuses() -> list[str]:
    """The status of each run, in the order of their start."""
    fresh()
    found = list(db.session.scalars(select(Run.status).order_by(Run.id)))
    db.session.rollback()
    return found


def set_heartbeat(ago: timedelta) -> None:
    """Let the last proof of life of the run under way be so old."""
    db.session.rollback()
    db.session.execute(update(Run).where(Run.status == "running").values(heartbeat_at=utcnow() - ago))
    db.session.commit()


def owe_slots_since(instant: datetime) -> None:
    """As if the database had been made at that instant."""
    db.session.rollback()
    db.session.execute(update(SettingsVersion).values(slots_owed_from=instant))
    db.session.commit()


def make_todays_slot_due(now: datetime) -> None:
    """Let a run be due by the real clock: since midnight in a zone where it is about noon."""
    ahead = 12 - now.astimezone(UTC).hour
    zone = "Etc/GMT" if ahead == 0 else f"Etc/GMT{-ahead:+d}"  # POSIX counts westwards
    fresh()
    stored = db.session.get_one(SettingsVersion, 1)
    stored.document = {"SCHEDULE": {"run_time": "00:00", "timezone": zone}}
    stored.slots_owed_from = now - timedelta(days=2)
    db.session.commit()


def fresh() -> None:
    """Look at the database as it is now."""
    db.session.rollback()
    db.session.expire_all()
