"""Every number of the report against a reckoning in plain Python, over histories made at random."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from jobauto.detection.run_counts import count
from jobauto.extensions import db
from jobauto.models import Job, Run
from jobauto.report import queries
from jobauto.report.report import days_of
from jobauto.report.scope import Scope, Span
from jobauto.report.site_days import STATES, Sites, site_days
from jobauto.settings import service as settings
from jobauto.storage.connections import write
from jobauto.web.filters import in_days
from tests.databases import POSTGRESQL, SQLITE, opened
from tests.report.history import BEGINS, NOW, ZONE, Known, make_history

DAY = timedelta(days=1)
SPANS = {
    "all": Span(BEGINS, date(2026, 4, 12), ZONE, NOW),
    "over the change of the clocks": Span(date(2026, 3, 28), date(2026, 3, 30), ZONE, NOW),
    "long ago": Span(date(2026, 2, 1), date(2026, 2, 28), ZONE, NOW),
}
SCOPES = {
    "the fleet": Scope(),
    "a group": Scope(group="North"),
    "no group": Scope(group=""),
    "a source and somebody": Scope(source="gw-A", assignee="oscar"),
    "nobody": Scope(assignee=""),
}
EACH_SPAN = pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
EACH_SCOPE = pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def known(request: pytest.FixtureRequest) -> Iterator[Known]:
    """A history for the whole file, whose tests leave it as it is."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri):
        known = make_history(seed=16)
        with write() as session:  # every other run is counted, the sites of the others are walked over
            for run_id in session.scalars(select(Run.id).where(Run.id % 2 == 0)).all():
                count(session.connection(), run_id)
        yield known


def _in_scope(known: Known, scope: Scope) -> list[Any]:
    return [
        job
        for job in known.jobs
        if _has(known.sites[job.site_key], scope) and scope.assignee in (None, job.assignee or "")
    ]


def _has(site: Any, scope: Scope) -> bool:
    return scope.group in (None, site.group) and scope.source in (None, site.source)


def _ends(span: Span) -> tuple[datetime, datetime]:
    start, after = (
        datetime(day.year, day.month, day.day, tzinfo=ZONE) for day in (span.first, span.last + DAY)
    )
    return start, min(after, NOW)


def _counts(job: Any, span: Span) -> dict[str, bool]:
    start, end = _ends(span)
    age = (end.astimezone(UTC) - job.created_at).days
    is_open = job.created_at < end and (job.closed_at is None or job.closed_at >= end)
    recovered = job.recovered_at is not None and start <= job.recovered_at < end
    bounds = {"age_0": (0, 3), "age_4": (4, 7), "age_8": (8, 14), "age_15": (15, 30), "age_31": (31, 9999)}
    return {
        "opened": start <= job.created_at < end,
        "closed": job.closed_at is not None and start <= job.closed_at < end,
        "open": is_open,
        "recovered": recovered,
        "by_itself": recovered and (not job.touched or job.resolution == "recovered"),
        "often": end.astimezone(UTC) - 90 * DAY <= job.created_at < end,
        **{name: is_open and least <= age <= most for name, (least, most) in bounds.items()},
    }


@EACH_SPAN
@EACH_SCOPE
def test_each_number_is_counted_and_its_jobs_are_listed(known: Known, span: Span, scope: Scope) -> None:
    found = queries.count_jobs(db.session, span, scope)  # type: ignore[arg-type] # a scoped session is one
    for name in queries.NUMBERS:
        jobs = [job for job in _in_scope(known, scope) if _counts(job, span)[name]]
        if name != "often":
            assert found.counts[name] == len(jobs), name
            for part, of in _PARTS.items():
                by_part = Counter(of(known, job) for job in jobs)
                assert {key: counts[name] for key, counts in found.by_part[part].items() if counts[name]} == (
                    by_part
                ), (name, part)
        listed = db.session.scalars(queries.jobs_behind(name, span, scope)).unique().all()
        assert sorted(job.id for job in listed) == sorted(job.id for job in jobs), name


_PARTS: dict[str, Callable[[Known, Any], str]] = {
    "group": lambda known, job: known.sites[job.site_key].group,
    "source": lambda known, job: known.sites[job.site_key].source,
    "assignee": lambda _known, job: job.assignee or "",
}


@EACH_SPAN
@EACH_SCOPE
@pytest.mark.parametrize("name", ["closed", "recovered"])
def test_how_long_half_of_them_and_nine_of_ten_took(
    known: Known, span: Span, scope: Scope, name: str
) -> None:
    until = f"{name}_at"
    took = sorted(
        getattr(job, until) - job.created_at for job in _in_scope(known, scope) if _counts(job, span)[name]
    )
    within = (
        [next(t for t in took if sum(o <= t for o in took) * 10 >= len(took) * tenths) for tenths in (5, 9)]
        if took
        else None
    )
    found = queries.time_to(db.session, getattr(Job, until), len(took), span, scope)  # type: ignore[arg-type] # as above
    rounded_up = [length + timedelta(microseconds=1) for length in within or ()]  # a half, too
    assert _told(found or ()) == _told(rounded_up)


def _told(lengths: Iterable[timedelta]) -> list[tuple[str, float]]:
    """On the page and in the file."""
    return [(in_days(length), days_of(length)) for length in lengths]


@EACH_SPAN
def test_jobs_are_counted_on_their_local_dates(known: Known, span: Span) -> None:
    expected = Counter(
        job.created_at.astimezone(ZONE).date() for job in known.jobs if _counts(job, span)["opened"]
    )
    assert queries.by_day(db.session, Job.created_at, span, Scope()) == expected  # type: ignore[arg-type] # as above


@EACH_SPAN
@EACH_SCOPE
def test_sites_with_three_jobs_or_more(known: Known, span: Span, scope: Scope) -> None:
    many = Counter(job.site_key for job in known.jobs if _counts(job, span)["often"])
    expected = {key: count for key, count in many.items() if count >= 3 and _has(known.sites[key], scope)}
    found = db.session.execute(queries.often(span, scope)).unique().all()
    assert {site.key: count for site, count in found} == expected


@EACH_SPAN
@EACH_SCOPE
def test_each_site_day_has_its_state(known: Known, span: Span, scope: Scope) -> None:
    """Day by day, by group and source, and of every single site in the lists behind the numbers."""
    policies = settings.current().policies
    found = site_days(db.session, span, scope, policies)  # type: ignore[arg-type] # as above
    exact = {
        day: {key: state for key, state in states.items() if _has(known.sites[key], scope)}
        for day, states in known.states.items()
        if span.first <= day <= span.last
    }
    fleet = known.fleet if scope.is_fleet else {}
    expected = {day: _full(Counter(states.values())) for day, states in exact.items()} | {
        day: counts for day, counts in fleet.items() if span.first <= day <= span.last
    }
    assert {day.day: _full(Counter(day.states)) for day in found.days} == expected
    for part in ("group", "source"):
        by_part: dict[str, Counter[str]] = {}
        for states in exact.values():
            for key, state in states.items():
                by_part.setdefault(getattr(known.sites[key], part), Counter())[state] += 1
        assert {
            name: +counts for name, counts in found.by_part.get(part, {}).items() if +counts
        } == by_part, part
    sites = Sites(db.session, span, scope, policies)  # type: ignore[arg-type] # as above
    for state in STATES:
        rows = sites.with_days(db.session.execute(sites.in_state(state)).unique().all())
        counted = {row.site.key: row.states[state] for row in rows if row.states[state]}
        assert counted == Counter(
            key for states in exact.values() for key, said in states.items() if said == state
        ), state


def _full(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in STATES}
