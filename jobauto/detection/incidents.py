"""Incidents: one job for the sites of one source that fall silent together.

Only No Coms opens them. What the sites have to do with it are rows of ``cover``, which lie with the sites;
whether an incident covers anything is a row of ``incident``. A run locks the unrecovered ones before it
touches a job, and so does whoever closes or reopens one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from ..models import Cover, Event, Incident, Job, Site
from ..models.folding import fold
from ..models.incident import IS_COVERING, ONE_COVER, ONE_INCIDENT
from ..models.types import Instant
from ..rules.rule import FLAGGED, VERDICT
from ..settings.schema import GuardSettings
from ..storage.among import is_among
from ..storage.connections import insert
from ..storage.covers import let_nobody_reopen
from ..wording import pluralize
from . import guard
from .opening import JUDGED_SITES, Opening, is_checked, is_covered, open_jobs, opens_incidents, wanted
from .recovery import is_judged, is_ok

Conditions = Sequence[ColumnElement[bool]]
_SAME_JOB = (Job.id == bindparam("of"), Job.site_key == bindparam("at"))


class Standing(NamedTuple):
    """An incident that has not recovered."""

    job_id: int
    site_key: int
    source: str
    job_type: str
    state: str


def describe(sites: int, source: str) -> str:
    """What an incident's job says: ``No readings from 30 sites behind gw-A``."""
    return f"No readings from {pluralize(sites, 'site')} behind {source}"


@dataclass(frozen=True)
class Failing:
    """Of a source's sites that had ``reported``, ``new`` are newly silent, the first of them ``site_id``."""

    source: str
    new: int
    site_id: str
    reported: int

    def is_incident(self, settings: GuardSettings) -> bool:
        """Whether they are so many that they have one cause."""
        many = self.new * 100 > self.reported * settings.incident_share
        return many and self.new >= settings.incident_min_sites


def open_all(
    connection: Connection, opening: Opening, settings: GuardSettings, flagged: int
) -> dict[str, int]:
    """Open incidents, then a job for each flagged site that has none; what became of the ``flagged`` ones."""
    if opens_incidents(opening):
        let_nobody_reopen(connection)
    if opens_incidents(opening) and settings.incident_enabled and opening.settings.check_duplicate:
        open_incidents(connection, opening, settings)
    created = open_jobs(connection, opening)
    covered = count_covered(connection, opening)
    return {"created": created, "covered": covered, "skipped": flagged - created - covered}


def count_covered(connection: Connection, opening: Opening) -> int:
    """How many flagged sites an incident covers, without those for which this run has opened one."""
    if not opens_incidents(opening):
        return 0
    found = select(func.count()).select_from(JUDGED_SITES).where(*covered(opening), ~_has_just_got(opening))
    return connection.scalar(found) or 0


def covered(opening: Opening) -> Iterator[ColumnElement[bool]]:
    """Which of the judged sites get no job because an incident covers them."""
    yield VERDICT.c.verdict == FLAGGED
    yield is_checked(opening)
    yield is_covered()


def _has_just_got(opening: Opening) -> ColumnElement[bool]:
    this = (Job.run_id == opening.run_id, Job.rule == opening.rule.name, Job.covers.is_not(None))
    return exists().where(Job.site_key == Site.key, *this)


def open_incidents(connection: Connection, opening: Opening, settings: GuardSettings) -> None:
    """Open an incident for each source so many of whose sites are new, and cover what is new.

    1. New sites are those that would get a job now and that had reported. They are counted by source; where
       they are enough, so are the source's sites that had reported.
    2. Where they are too many, the first of them in the order of code points gets the job. Of two that open
       one for the same source at once the database lets one win, and the other's job is taken back.
    3. What is new joins the incident of its source, whoever opened it and however few they are.
    """
    new = (*wanted(opening), Site.source != "", is_checked(opening), _has_reported(connection, opening))
    covering = [
        each.source
        for each in lock(connection)
        if each.state == "covering" and each.job_type == opening.settings.job_type_id
    ]
    failing = _failing(connection, opening, (*new, ~is_among(connection, Site.source, covering)), settings)
    if found := [each for each in failing if each.is_incident(settings)]:
        _open(connection, opening, found)
    if found or covering:
        _cover(connection, opening, new)
        _count_covers(connection, opening)


def lock(connection: Connection) -> list[Standing]:
    """The incidents that have not recovered, locked in the order of their jobs."""
    columns = (Incident.job_id, Incident.site_key, Incident.source, Incident.job_type, Incident.state)
    standing = select(*columns).where(Incident.state != "recovered").order_by(Incident.job_id)
    return [Standing(*row) for row in connection.execute(standing.with_for_update())]


def _has_reported(connection: Connection, opening: Opening) -> ColumnElement[bool]:
    """In the week before; or it was covered, and has neither spoken nor got a job since: when it fell silent
    it had reported."""
    week = opening.of_verdict(guard.week_before(connection, opening), Instant())
    job_since = exists().where(
        Job.site_key == Cover.site_key,
        Job.rule == opening.rule.name,
        Job.covers.is_(None),
        Job.created_at > Cover.ended_at,
    )
    was_covered = exists().where(
        Cover.site_key == Site.key, Cover.ended_at.is_not(None), Cover.recovered_at.is_(None), ~job_since
    )
    return or_(VERDICT.c.since > week, was_covered)


def _failing(
    connection: Connection, opening: Opening, new: Conditions, settings: GuardSettings
) -> Iterator[Failing]:
    found = connection.execute(
        select(Site.source, func.count(), func.min(_in_code_points(connection, Site.site_id)))
        .select_from(JUDGED_SITES)
        .where(*new)
        .group_by(Site.source)
        .having(func.count() >= settings.incident_min_sites)
    ).all()
    reported = _reported(connection, opening, [source for source, *_ in found]) if found else {}
    for source, count, site_id in found:
        yield Failing(source, count, site_id, reported[source])


def _in_code_points(connection: Connection, column: Any) -> ColumnElement[str]:
    """Text that is compared by its code points: SQLite knows nothing else, PostgreSQL its locale."""
    return column.collate("C") if connection.dialect.name == "postgresql" else column  # type: ignore[no-any-return] # a column's


def _reported(connection: Connection, opening: Opening, sources: Sequence[str]) -> dict[str, int]:
    """How many sites of each source had reported: those that are ok, and those flagged that had."""
    of_these = is_among(connection, Site.source, sources)
    judged = select(Site.source, func.count()).where(is_judged(opening), of_these).group_by(Site.source)
    counted = dict(connection.execute(judged).all())
    had = and_(VERDICT.c.verdict == FLAGGED, _has_reported(connection, opening))
    had_not = (
        select(Site.source, func.sum(case((had, 0), else_=1)))
        .select_from(JUDGED_SITES)
        .where(of_these)
        .group_by(Site.source)
    )
    silent: dict[str, int] = dict(connection.execute(had_not).all())
    return {source: counted.get(source, 0) - silent.get(source, 0) for source in sources}


def _open(connection: Connection, opening: Opening, failing: Sequence[Failing]) -> None:
    by_site = {each.site_id: each for each in failing}
    own = connection.execute(
        select(Site.site_id, Site.key, VERDICT.c.since, VERDICT.c.days)
        .select_from(JUDGED_SITES)
        .where(is_among(connection, Site.site_id, list(by_site)))
        .order_by(Site.source)  # of two that claim the same sources nobody waits for the other in a circle
    ).all()
    source_of = {key: by_site[site_id].source for site_id, key, *_ in own}
    jobs = [
        _job(opening, by_site[site_id]) | {"site_key": key, "since": since, "days": days}
        for site_id, key, since, days in own
    ]
    opened = connection.execute(insert(connection, Job).returning(Job.id, Job.site_key), jobs).all()
    claims = [
        {
            "job_id": job_id,
            "site_key": key,
            "source": source_of[key],
            "job_type": opening.settings.job_type_id,
            "state": "covering",
        }
        for job_id, key in opened
    ]
    claim = insert(connection, Incident).on_conflict_do_nothing(
        index_elements=["source", "job_type"], index_where=ONE_INCIDENT
    )
    won = set(connection.scalars(claim.returning(Incident.job_id), claims))
    if lost := [{"of": job_id, "at": key} for job_id, key in opened if job_id not in won]:
        connection.execute(delete(Job).where(*_SAME_JOB), lost)


def _job(opening: Opening, failing: Failing) -> dict[str, Any]:
    """The job of an incident has the fleet's settings."""
    settings = opening.settings
    description = describe(failing.new, failing.source)
    return {
        "rule": opening.rule.name,
        "job_type": settings.job_type_id,
        "status": settings.initial_status,
        "priority": settings.priority,
        "description": description,
        "search_description": fold(description),
        "queue": settings.queue,
        "instructions": settings.instructions,
        "touched": False,
        "created_at": opening.now,
        "run_id": opening.run_id,
        "duplicate_checked": True,
        "covers": failing.new - 1,
    }


def _cover(connection: Connection, opening: Opening, new: Conditions) -> None:
    """Cover the new sites of sources with an incident; whoever had recovered from it comes to it again."""
    of_source = and_(Incident.source == Site.source, IS_COVERING)
    joining = (
        select(Site.key.label("site_key"), Incident.job_id, literal(opening.run_id).label("run_id"))
        .select_from(JUDGED_SITES.join(Incident.__table__, of_source))
        .where(*new, Incident.job_type == opening.settings.job_type_id)
    )
    again = joining.cte("joining")
    had_been = exists(select(again.c.site_key)).where(
        again.c.site_key == Cover.site_key, again.c.job_id == Cover.job_id
    )
    connection.execute(delete(Cover).where(Cover.ended_at.is_not(None), had_been))
    connection.execute(
        insert(connection, Cover)
        .from_select(["site_key", "job_id", "run_id"], joining)
        .on_conflict_do_nothing(index_elements=["site_key"], index_where=ONE_COVER)
    )


def _count_covers(connection: Connection, opening: Opening) -> None:
    """Let the jobs of the incidents that sites have come to say how many they are."""
    grown = select(Cover.job_id).where(Cover.run_id == opening.run_id)
    counted = connection.execute(
        select(Incident.job_id, Incident.site_key, Incident.source, func.count())
        .join(Cover, and_(Cover.job_id == Incident.job_id, Cover.site_key != Incident.site_key))
        .where(Incident.job_id.in_(grown))
        .group_by(Incident.job_id, Incident.site_key, Incident.source)
        .order_by(Incident.job_id)
    ).all()
    ids = [job_id for job_id, *_ in counted]
    before = dict(
        connection.execute(select(Job.id, Job.covers).where(is_among(connection, Job.id, ids))).all()
    )
    changed: list[dict[str, Any]] = [
        {"of": job_id, "at": key, "count": count, "text": text, "folded": fold(text)}
        for job_id, key, source, count in counted
        for text in [describe(count + 1, source)]
        if before.get(job_id, count) != count
    ]
    if not changed:
        return
    now_covers: dict[str, Any] = {
        "covers": bindparam("count"),
        "description": bindparam("text"),
        "search_description": bindparam("folded"),
    }
    connection.execute(update(Job).where(*_SAME_JOB).values(now_covers), changed)
    events = [
        {
            "at": opening.now,
            "subject": "job",
            "subject_id": str(each["of"]),
            "field": "covers",
            "before": str(before[each["of"]]),
            "after": str(each["count"]),
        }
        for each in changed
    ]
    connection.execute(insert(connection, Event), events)


def mark_recovered(connection: Connection, opening: Opening) -> None:
    """Bring incidents in line with what No Coms said of their sites, before jobs that have recovered close.

    1. A site that is ok is covered no more, and has recovered.
    2. Where at least 90 % of an incident's judged sites have, it covers nobody any more. Where its own has,
       too, it has recovered; otherwise it stays for its own site.
    3. One that had stayed has recovered as soon as its own site has.
    """
    if not opens_incidents(opening):
        return
    standing = lock(connection)
    connection.execute(
        update(Cover)
        .where(Cover.recovered_at.is_(None), is_ok(opening, Cover.site_key))
        .values(
            recovered_at=opening.moment.as_of,
            ended_at=func.coalesce(Cover.ended_at, literal(opening.now, Instant)),
        )
    )
    if not standing:
        return
    own = _recovered_own(connection, standing)
    over = _nearly_all_recovered(connection, opening, [each.job_id for each in standing])
    recovered = [
        each for each in standing if each.job_id in own and (each.job_id in over or each.state == "ended")
    ]
    ended = [each for each in standing if each.job_id in over and each.job_id not in own]
    _end(connection, opening, recovered, "recovered")
    _end(connection, opening, [each for each in ended if each.state != "ended"], "ended")
    if recovered:
        seen = {"recovered_at": opening.moment.as_of, "recovered_run_id": opening.run_id}
        connection.execute(update(Job).where(*_SAME_JOB).values(seen), _bound(recovered))


def _recovered_own(connection: Connection, standing: Sequence[Standing]) -> set[int]:
    """The incidents whose own site has recovered."""
    found = connection.execute(
        select(Cover.job_id, Cover.site_key).where(
            is_among(connection, Cover.job_id, [each.job_id for each in standing]),
            is_among(connection, Cover.site_key, [each.site_key for each in standing]),
            Cover.recovered_at.is_not(None),
        )
    )
    pairs = {(job_id, key) for job_id, key in found}
    return {each.job_id for each in standing if (each.job_id, each.site_key) in pairs}


def _nearly_all_recovered(connection: Connection, opening: Opening, job_ids: Sequence[int]) -> set[int]:
    """The incidents of whose judged sites at least 90 % have recovered."""
    found = connection.execute(
        select(Cover.job_id)
        .join(Site, Site.key == Cover.site_key)
        .where(is_among(connection, Cover.job_id, job_ids), is_judged(opening))
        .group_by(Cover.job_id)
        .having(func.count(Cover.recovered_at) * 10 >= func.count() * 9)
    )
    return set(found.scalars())


def _end(connection: Connection, opening: Opening, incidents: Sequence[Standing], state: str) -> None:
    """Let incidents cover nobody any more, but their own sites where those have not recovered."""
    if not incidents:
        return
    change = update(Incident).where(Incident.job_id == bindparam("of")).values(state=state)
    connection.execute(change, [{"of": each.job_id} for each in incidents])
    others = (Cover.job_id == bindparam("of"), Cover.site_key != bindparam("at"), Cover.ended_at.is_(None))
    connection.execute(update(Cover).where(*others).values(ended_at=opening.now), _bound(incidents))


def _bound(incidents: Iterable[Standing]) -> list[dict[str, Any]]:
    return [{"of": each.job_id, "at": each.site_key} for each in incidents]
