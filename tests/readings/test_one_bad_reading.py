"""One bad reading, or another meter, in a real series flips no verdict, and the right review comes of it.

All series with all mutations are one fleet, imported once, and judged before and after a person has decided.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, groupby

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.detection.service import RunResult
from jobauto.extensions import db
from jobauto.models import Review, RunSite, Site
from jobauto.models.quality import ReviewDecision
from jobauto.readings.decisions import decide
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from tests.databases import POSTGRESQL, SQLITE, opened
from tests.detection.running import jobs, later, run_at
from tests.fleets import NOON
from tests.imports.importing import import_readings, import_sites
from tests.readings.mutations import CASES, CREEPS, STILL, Asked, Series, Specimen, series, specimens

Verdicts = dict[str, tuple[str, str | None]]
"""Verdict and reason by rule."""

OSCAR = Author("oscar", NOON)
OK: Verdicts = {"no_coms": ("ok", None), "zero_reads": ("ok", None)}
HEARD: Verdicts = {"no_coms": ("ok", None)}
SIGN_OF_LIFE: Verdicts = {"no_coms": ("ok", None), "zero_reads": ("not_assessable", "readings in doubt")}
NEXT: dict[str, tuple[Callable[[Decimal], Decimal], bool]] = {
    "a zero": (lambda _: Decimal(0), False),
    "-0.01": (lambda _: Decimal("-0.01"), False),
    "a hundredth": (lambda kwh: (kwh / 100).quantize(Decimal("0.01")), False),
    "a hundredfold": (lambda kwh: kwh * 100, False),
    "a spike": (lambda kwh: kwh + 5_000, False),
    "a flicker": (lambda kwh: kwh + Decimal("0.01"), False),
    "a rise": (lambda kwh: kwh + Decimal("0.03"), True),
}
"""What becomes of the next reading of a register that stands still, and whether its job recovers."""


@dataclass
class Fleet:
    """What came of each specimen, by its site."""

    sites: dict[tuple[str, str], dict[str, Specimen]] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    before: dict[str, Verdicts] = field(default_factory=dict)
    """Before a person decided."""
    after: dict[str, Verdicts] = field(default_factory=dict)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """All of them, on a database for the whole file."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri):
        yield _judged()


def _judged() -> Fleet:
    numbers = count(1)
    fleet = Fleet({case: {f"M{next(numbers)}": one for one in specimens(*case)} for case in CASES})
    everything = {site_id: one for of_case in fleet.sites.values() for site_id, one in of_case.items()}
    creep = {site_id for case, sites in fleet.sites.items() for site_id in sites if case[0] == "creep"}
    settings.put_policy(Policy("Creep", {"ZERO_READS": {"min_increase": "0.05"}}, (CREEPS,)), author=OSCAR)
    groups = {site_id: CREEPS if site_id in creep else "" for site_id in everything}
    import_sites("site_id,site_name,group", *(f"{site_id},Site,{group}" for site_id, group in groups.items()))
    send({site_id: one.readings for site_id, one in everything.items()})
    for site_id, of_site in reviews().items():
        fleet.asked[site_id] = [(review.kind, review.started_at) for review in of_site]
    fleet.before = verdicts(run_at())
    _decide(everything)
    fleet.after = verdicts(run_at())
    return fleet


def send(readings: Mapping[str, Series]) -> None:
    """Import readings of sites, in the order of their instants."""
    rows = sorted((at, site_id, kwh) for site_id, of_site in readings.items() for at, kwh in of_site)
    result = import_readings(f'"{site_id}",{at.isoformat()},{kwh}' for at, site_id, kwh in rows)
    assert (result.new, result.rejected) == (len(rows), 0)


def reviews() -> dict[str, list[Review]]:
    """The reviews of each site that has any."""
    db.session.rollback()
    query = select(Site.site_id, Review).join(Review, Review.site_key == Site.key)
    found = db.session.execute(query.order_by(Site.site_id, Review.started_at, Review.is_unsteady))
    return {site_id: [review for _, review in of] for site_id, of in groupby(found, lambda row: row[0])}


def _decide(everything: dict[str, Specimen]) -> None:
    """Decide what is open as its specimen says."""
    wanted: dict[ReviewDecision, list[int]] = {}
    for site_id, of_site in reviews().items():
        for review in of_site:
            decision = everything[site_id].decision
            if review.state == "open" and decision:
                wanted.setdefault(decision, []).append(review.id)
    for decision, ids in wanted.items():
        decide(ids, decision, author=OSCAR)


def verdicts(run: RunResult) -> dict[str, Verdicts]:
    """What a run said of each site."""
    db.session.rollback()
    found = {site_id: dict(OK) for site_id in db.session.scalars(select(Site.site_id))}
    query = select(Site.site_id, RunSite.rule, RunSite.verdict, RunSite.reason)
    kept = query.join(RunSite, RunSite.site_key == Site.key).where(RunSite.run_id == run.run_id)
    for site_id, rule, verdict, reason in db.session.execute(kept):
        found[site_id][rule] = (verdict, reason)
    return found


@pytest.mark.parametrize("name", [name for mutation, name in CASES if mutation == "nothing"])
def test_the_series_are_what_their_names_say(fleet: Fleet, name: str) -> None:
    (clean,) = fleet.sites["nothing", name]
    flagged, too_few = ("flagged", None), ("not_assessable", "too few readings")
    is_still, is_silent = name in STILL, name == "silent"

    assert fleet.before[clean] == {
        "no_coms": flagged if is_silent else ("ok", None),
        "zero_reads": flagged if is_still else too_few if is_silent else ("ok", None),
    }


@pytest.mark.parametrize(("mutation", "name"), CASES)
def test_exactly_the_review_of_the_right_kind_appears(fleet: Fleet, mutation: str, name: str) -> None:
    sites = fleet.sites[mutation, name]
    asked = {site_id: fleet.asked.get(site_id, []) for site_id in sites}
    assert asked == {site_id: [one.review] if one.review else [] for site_id, one in sites.items()}


@pytest.mark.parametrize(("mutation", "name"), CASES)
def test_no_verdict_changes_and_of_a_new_meter_none_when_a_person_has_said_so(
    fleet: Fleet, mutation: str, name: str
) -> None:
    (clean,) = fleet.sites["nothing", name]
    for site_id, one in fleet.sites[mutation, name].items():
        if one.decision is not ReviewDecision.NEW_METER:
            expected = SIGN_OF_LIFE if one.hears else fleet.before[clean]
            assert (site_id, fleet.before[site_id]) == (site_id, expected)
        expected = fleet.after[clean] | (HEARD if one.hears else {})
        assert (site_id, fleet.after[site_id]) == (site_id, expected)


def test_a_job_recovers_by_a_rise_and_by_no_single_bad_reading(app: Flask) -> None:
    next_day: dict[str, Series] = {}
    for name in STILL:
        _, newest = series()[name][-1]
        next_day |= {f"{name}, {what}": [(later(24), becomes(newest))] for what, (becomes, _) in NEXT.items()}
    import_sites("site_id,site_name", *(f'"{site_id}",Site' for site_id in next_day))
    send({site_id: series()[site_id.partition(",")[0]] for site_id in next_day})
    run_at()

    send(next_day)
    run_at(later(24))

    recovered = {job.site.site_id: job.recovered_at is not None for job in jobs()}
    assert recovered == {site_id: NEXT[site_id.partition(", ")[2]][1] for site_id in next_day}
