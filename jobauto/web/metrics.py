"""The numbers that an operator would alert on, read from the database when they are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from ..extensions import db
from ..imports.profiles import feeds
from ..imports.result import COUNTS
from ..jobs import queries as jobs
from ..models import Import, Run
from ..notifications import queries as notifications
from ..rules import RULES
from ..runs import queries as runs


@dataclass(frozen=True)
class Numbers(Collector):
    """One reading of the numbers."""

    now: datetime
    overdue: bool

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield GaugeMetricFamily(
            "jobauto_run_overdue", "1 if a daily run is overdue by more than an hour", self.overdue
        )
        held: Run | None = db.session.scalars(runs.waiting()).first()
        yield GaugeMetricFamily(
            "jobauto_held_jobs",
            "Jobs that the guard holds until somebody decides",
            held.held_jobs if held else 0,
        )
        succeeded: Run | None = db.session.scalar(runs.last_succeeded())
        yield GaugeMetricFamily(
            "jobauto_last_success_timestamp_seconds",
            "When the newest run that succeeded ended, in seconds since 1970; 0 if none has",
            succeeded.finished_at.timestamp() if succeeded and succeeded.finished_at else 0,
        )
        yield from _last_run(db.session.scalar(runs.last_finished()))
        yield _open_jobs()
        yield from _imports()
        yield _late_feeds(self.now)
        yield from _outbox(self.now)


def _last_run(run: Run | None) -> Iterator[Metric]:
    seconds = GaugeMetricFamily(
        "jobauto_last_run_seconds", "How long the rules of the newest run took", labels=["rule"]
    )
    found = GaugeMetricFamily(
        "jobauto_last_run_findings", "Sites that the newest run flagged", labels=["rule"]
    )
    unknown = GaugeMetricFamily(
        "jobauto_last_run_not_assessable", "Sites that the newest run could not assess", labels=["rule"]
    )
    created = GaugeMetricFamily(
        "jobauto_last_run_created_jobs", "Jobs that the newest run opened", labels=["rule"]
    )
    for rule in run.rules if run else ():
        seconds.add_metric([rule.rule], rule.duration_ms / 1000)
        found.add_metric([rule.rule], rule.flagged)
        unknown.add_metric([rule.rule], rule.not_assessable)
        created.add_metric([rule.rule], rule.created)
    yield from (seconds, found, unknown, created)


def _open_jobs() -> Metric:
    counted = dict(db.session.execute(jobs.open_by_rule()).all())
    family = GaugeMetricFamily("jobauto_open_jobs", "Jobs that are not closed", labels=["rule"])
    for rule in RULES:
        family.add_metric([rule.name], counted.get(rule.name, 0))
    return family


def _imports() -> Iterator[Metric]:
    totals = select(*(func.coalesce(func.sum(getattr(Import, name)), 0) for name in COUNTS))
    # What one under way tells begins anew, or goes with it; a counter must not fall.
    ended = (~Import.dry_run, Import.status.in_(("finished", "failed")))
    rows = CounterMetricFamily(
        "jobauto_import_rows", "Rows of the imports that have ended", labels=["outcome"]
    )
    for name, count in zip(COUNTS, db.session.execute(totals.where(*ended)).one(), strict=True):
        rows.add_metric([name], count)
    yield rows
    waiting = select(func.count()).where(Import.status.in_(("queued", "running")))
    yield GaugeMetricFamily(
        "jobauto_imports_waiting", "Imports that are not done", db.session.scalar(waiting) or 0
    )


def _late_feeds(now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "jobauto_feed_late", "1 if a feed has brought nothing for longer than is expected", labels=["profile"]
    )
    for feed in feeds.feeds().values():
        if feed.expected_hours is not None:
            family.add_metric([feed.name], feed.is_late(now))
    return family


def _outbox(now: datetime) -> Iterator[Metric]:
    waiting, oldest = db.session.execute(notifications.waiting()).one()
    yield GaugeMetricFamily("jobauto_outbox_waiting", "Messages that wait to be sent", waiting)
    yield GaugeMetricFamily(
        "jobauto_outbox_oldest_seconds",
        "For how long the oldest message that waits has waited; 0 if none does",
        max(0.0, (now - oldest).total_seconds()) if oldest else 0,
    )
    yield GaugeMetricFamily(
        "jobauto_outbox_given_up",
        "Messages given up in the last 24 hours",
        db.session.scalar(notifications.given_up_since(now - timedelta(days=1))) or 0,
    )
