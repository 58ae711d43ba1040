"""What follows for jobs when readings of their sites turn out to be worth something else.

A run marks a job as recovered by the readings as they were known then. When they are known better:

1. A job that is marked is asked anew, as of its recovery and by the settings of the run that saw it; also
   where readings went or were corrected. Where nothing shows the recovery any more, it is no longer
   recovered, and its history says why. A job that was closed stays so.
2. An open job that is not marked is asked as of the newest run of now. Where that run would see the recovery
   today, the job has recovered with it.

Only rules that ask a job for more than a site that is ok (``Rule.recovered``) are asked anew.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, exists, insert, or_, select, true, update

from ..audit.service import Author
from ..models import Event, Job, Reading, Run, RunRule, SettingsVersion, Site
from ..models.job import STILL_OPEN
from ..models.quality import Quality
from ..rules import RULES
from ..rules.asked import Asked
from ..rules.moment import Moment
from ..rules.rule import Rule
from ..rules.settings import RuleSettings
from ..settings.policies import Policies
from ..settings.stored import read_policies, read_stored
from ..storage.among import is_among
from ..storage.many_jobs import be_alone_in_changing_many

UNDONE, MADE = "not_recovered", "recovered"
"""The fields of a job's history that say so, and why."""
_JUDGED = ("succeeded", "held")


class _Job(NamedTuple):
    """A job, and what says which settings hold for it."""

    id: int
    site_key: int
    rule: str
    run_id: int
    since: datetime | None
    value: Decimal | None
    recovered_at: datetime | None
    recovered_run_id: int | None
    site_id: str
    group: str
    counts: str


class _Run(NamedTuple):
    id: int
    as_of: datetime
    settings_version: int


def review_recoveries(
    connection: Connection,
    changed: Collection[int],
    others: Collection[int],
    author: Author,
    *,
    of_closed: bool = True,
) -> None:
    """Bring the recoveries of sites' jobs in line with what their readings are worth now.

    Qualities have ``changed`` at some; at ``others`` readings may have gone or been corrected, and only jobs
    that had recovered are asked. Of a fleet that is classified anew as a whole only open jobs are, without
    ``of_closed``. It is part of the transaction that stores the qualities. Histories name the author.
    """
    rules = {rule.name: rule for rule in RULES if rule.recovered is not None}
    asked = changed or others
    query = _jobs(connection, changed, others, list(rules))
    jobs = connection.execute(query if of_closed else query.where(STILL_OPEN)).all() if asked else []
    if jobs:
        be_alone_in_changing_many(connection)
    asking = _Asking(connection)
    for row in jobs:
        job = _Job(*row)
        if job.recovered_at is None:
            _make(connection, asking, job, rules[job.rule], author)
        elif not asking.still_holds(job, rules[job.rule]):
            _undo(connection, job, author)


def _jobs(
    connection: Connection, changed: Collection[int], others: Collection[int], rules: Sequence[str]
) -> Select[Any]:
    columns = [Job.__table__.c[name] for name in _Job._fields[:8]]
    return (
        select(*columns, Site.site_id, Site.group, Site.counts)
        .join(Site, Site.key == Job.site_key)
        .where(
            is_among(connection, Job.site_key, {*changed, *others}),
            Job.rule.in_(rules),
            or_(Job.recovered_at.is_not(None), and_(STILL_OPEN, is_among(connection, Job.site_key, changed))),
        )
        .order_by(Job.site_key, Job.id)
    )


class _Asking:
    """Rules asked about single jobs, as runs asked them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.policies = cache(self._policies)
        self.newest_run = cache(self._newest_run)

    def _policies(self, version: int) -> Policies:
        stored = select(SettingsVersion.document, SettingsVersion.policies)
        document, policies = self.connection.execute(stored.where(SettingsVersion.version == version)).one()
        return read_policies(policies, read_stored(document)[0])[0]

    def _newest_run(self, rule: str) -> _Run | None:
        """The newest run of now in which the rule judged the fleet."""
        found = self.connection.execute(
            select(Run.id, Run.as_of, Run.settings_version)
            .join(RunRule, and_(RunRule.run_id == Run.id, RunRule.rule == rule))
            .where(RunRule.status.in_(_JUDGED), Run.as_of >= Run.started_at)
            .order_by(Run.id.desc())
            .limit(1)
        ).one_or_none()
        return _Run(*found) if found else None

    def still_holds(self, job: _Job, rule: Rule) -> bool:
        """Whether readings show the recovery of a job, or none of its time is kept any more."""
        run = self.connection.execute(
            select(Run.id, Run.as_of, Run.settings_version).where(Run.id == job.recovered_run_id)
        ).one()
        settings, moment = self._asked(job, rule, _Run(*run))
        return self._has_recovered(job, rule, settings, moment) or not self._has_readings(job)

    def has_recovered(self, job: _Job, rule: Rule, run: _Run) -> bool:
        """Whether a run would see, today, that a job has recovered."""
        settings, moment = self._asked(job, rule, run)
        only = replace(moment, only=job.site_key)
        is_judged = self.connection.scalar(select(Site.key).where(only.sites_to_check())) is not None
        return (
            settings.enabled
            and is_judged
            and self._has_recovered(job, rule, settings, moment)
            and self.connection.execute(rule.verdicts(Asked([settings]), only)).first() is None
        )

    def _asked(self, job: _Job, rule: Rule, run: _Run) -> tuple[RuleSettings, Moment]:
        combined = self.policies(run.settings_version).effective(job.site_id, job.group).combined
        return combined.rule(rule.name), combined.moment(run.as_of)

    def _has_recovered(self, job: _Job, rule: Rule, settings: RuleSettings, moment: Moment) -> bool:
        shown = rule.recovered(settings, moment) if rule.recovered else true()
        is_it = (Job.site_key == job.site_key, Job.id == job.id)
        return self.connection.scalar(select(Job.id).where(*is_it, shown)) is not None

    def _has_readings(self, job: _Job) -> bool:
        return bool(
            self.connection.scalar(select(exists(select(Reading.site_key).where(*_of_its_time(job)))))
        )


def _of_its_time(job: _Job) -> Iterator[Any]:
    """The readings from the beginning of the fault to the recovery."""
    yield Reading.site_key == job.site_key
    if job.since is not None:
        yield Reading.reading_date > job.since
    yield Reading.reading_date <= job.recovered_at


def _make(connection: Connection, asking: _Asking, job: _Job, rule: Rule, author: Author) -> None:
    run = asking.newest_run(rule.name)
    if run is None or run.id <= job.run_id or not asking.has_recovered(job, rule, run):
        return
    _set(connection, job, recovered_at=run.as_of, recovered_run_id=run.id)
    why = f"by what is known of the readings now, run {run.id} sees that the fault is gone"
    _keep(connection, job, author, MADE, why)


def _undo(connection: Connection, job: _Job, author: Author) -> None:
    why = _why(connection, job)
    _set(connection, job, recovered_at=None, recovered_run_id=None)
    _keep(connection, job, author, UNDONE, why)


def _why(connection: Connection, job: _Job) -> str:
    """What seemed to show the recovery: the newest reading that is not believed and lies above the job's."""
    value = job.value or Decimal(0)
    beyond = Reading.reading_value < value if job.counts == "down" else Reading.reading_value > value
    aside = (beyond, Reading.quality.in_([Quality.DOUBTFUL, Quality.WRONG, Quality.IGNORED]))
    newest = connection.execute(
        select(Reading.reading_date, Reading.reading_value, Reading.quality)
        .where(*_of_its_time(job), *aside)
        .order_by(Reading.reading_date.desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return "by what is known of its meter and readings now, the register has not risen"
    at, kwh, quality = newest
    word = "in doubt" if quality == Quality.DOUBTFUL else Quality(quality).word
    return f"the reading of {at:%Y-%m-%d %H:%M} UTC with {kwh:,} kWh, which seemed to show it, is {word}"


def _set(connection: Connection, job: _Job, **values: Any) -> None:
    connection.execute(update(Job).where(Job.site_key == job.site_key, Job.id == job.id).values(**values))


def _keep(connection: Connection, job: _Job, author: Author, field: str, why: str) -> None:
    made_by = {"at": author.now, "who": author.name, "token": author.token}
    connection.execute(
        insert(Event).values(**made_by, subject="job", subject_id=str(job.id), field=field, after=why)
    )
