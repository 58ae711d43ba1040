"""Stored runs, asked again on what had come in by then, flag the same sites; or the lab says why not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, select

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.imports import undo
from jobauto.lab.agreement import agreement
from jobauto.lab.replay import Ran, flagged_again
from jobauto.lab.slots import slots_of
from jobauto.models import Run, RunSite, Site
from jobauto.readings.meter_changes import Change, record_change
from jobauto.rules import rule_named
from jobauto.settings import service as settings_service
from jobauto.settings.policies import Policy
from jobauto.sites import service as site_service
from jobauto.sites.service import SiteChange
from jobauto.storage.connections import write
from tests.detection.running import save
from tests.fleets import NOON
from tests.imports.importing import import_sites
from tests.imports.undoing import send, take_back

RULES = ("no_coms", "zero_reads")
KINDS = {1: ("interval", "up"), 2: ("register", "down")}
LONDON = ZoneInfo("Europe/London")
DAYS = 13


def run_of(days_ago: int) -> datetime:
    """When the daily run was, so many days ago."""
    return datetime(2026, 3, 31, 6, 1, tzinfo=LONDON) - timedelta(days=days_ago)


NEXT_DAY = run_of(-1)


def run_daily(days_ago: int) -> int:
    """The scheduled run of a day; returns its number."""
    at = run_of(days_ago)
    found = run(RunParameters("schedule", slot=at.date()), lambda: at).run_id
    assert found
    return found


def asked_again(rule: str, group: str = "") -> dict[str, Any]:
    """What the lab says of the runs of the last 90 days."""
    db.session.rollback()
    slots = slots_of(settings_service.current().settings.schedule, 90, NOON)
    db.session.rollback()
    with db.engine.connect() as connection:
        return agreement(connection, rule, slots, group, NOON, lambda _: None)


def whys(found: dict[str, Any]) -> dict[str, str]:
    """Of the runs that differ, each site with why, by its id."""
    ids = {site.key: site.site_id for site in db.session.scalars(select(Site))}
    return {ids[site["site"]]: site["why"] for one in found["differing"] for site in one["sites"]}


@pytest.fixture
def replayed(app: Flask) -> Counter[str]:
    """Two weeks of daily files and runs; how many sites each rule flagged in them.

    Sites fall silent and stand still, send zeroes and spikes, get other meters; some count down or send
    intervals. A fifth of the readings come late, some are estimated first, and some are corrected later.
    There is a policy, and the settings change in between.
    """
    chance = Random(13)  # noqa: S311 (the same each time)
    sites, coming = [], defaultdict[datetime, list[str]](list)
    for number in range(26):
        measure, counts = KINDS.get(number % 8, ("register", "up"))
        sites.append(f"S{number},Site {number},G{number % 3},{measure},{counts}")
        if number % 13:
            for received, line in _arrivals(chance, measure, -1 if counts == "down" else 1):
                coming[received].append(f"S{number},{line}")
    import_sites("site_id,site_name,group,measure,counts", *sites)
    slow = Policy("Slow", {"NO_COMS": {"days_threshold": 5}}, ("G1",))
    settings_service.put_policy(slow, author=Author("ada", run_of(30)))
    flagged = Counter[str]()
    for days_ago in reversed(range(DAYS)):
        if days_ago == 5:
            save(no_coms={"days_threshold": 2}, zero_reads={"days_to_check": 6, "min_increase": 0.05})
        at = run_of(days_ago)
        for received in sorted(received for received in coming if received <= at):
            send(coming.pop(received), received)
        found = run(RunParameters("schedule", slot=at.date()), partial(_same, at))
        flagged.update({name: rule.flagged for name, rule in found.rules.items()})
    return flagged


def _same(at: datetime) -> datetime:
    return at


def _arrivals(chance: Random, measure: str, sign: int) -> Iterator[tuple[datetime, str]]:
    """When each line of a site comes in."""
    value, at, step = Decimal(5000), run_of(32), Decimal(0)
    while (at := at + timedelta(days=chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 5)))) < run_of(0):
        step = chance.choice((step, step, step, Decimal(0), Decimal("7.5")))
        value += sign * step
        if chance.random() < 0.02:
            value = Decimal(chance.choice((0, 2000, 90_000)))
        told = step if measure == "interval" else value
        if measure == "register" and chance.random() < 0.05:
            told = Decimal(0)
        reading_date = (at - timedelta(hours=1)).isoformat()
        days_late = chance.choice((0, 0, 0, 0, chance.randrange(9)))
        received = at + timedelta(days=days_late, minutes=-30)
        if chance.random() < 0.1:
            yield received, f"{reading_date},{told},estimated"
            received += timedelta(days=chance.randrange(1, 5))
        yield received, f"{reading_date},{told},"
        if chance.random() < 0.05:
            yield received + timedelta(days=2), f"{reading_date},{told + 1},"


def test_on_what_had_come_in_by_then_every_run_agrees(replayed: Counter[str]) -> None:
    for rule in RULES:
        assert replayed[rule] > 30
        found = asked_again(rule)
        assert found == {"runs": DAYS, "equal": DAYS, "differing": []}
        assert asked_again(rule, "G2") == found


def lines(site_id: str, values: dict[int, Any], quality: str = "") -> list[str]:
    """Readings of the morning, so many days ago."""
    return [
        f"{site_id},{run_of(ago).replace(hour=5).isoformat()},{kwh},{quality}" for ago, kwh in values.items()
    ]


FLAT = dict.fromkeys(range(6, -1, -1), 10)
FLAT_CORRECTED = dict.fromkeys(FLAT, 10.01)


@pytest.mark.parametrize(
    ("rule", "before", "late", "is_flagged"),
    [
        pytest.param("no_coms", {9: 1}, {1: 2}, True, id="a reading in the window of No Coms"),
        pytest.param("zero_reads", {6: 10, 3: 10, 2: 10, 1: 10}, {0: 12}, True, id="a rise in the window"),
        pytest.param("zero_reads", {2: 10, 0: 10}, {3: 10, 1: 10}, False, id="enough to flag it"),
        pytest.param("zero_reads", {3: 9.5, 2: 10, 1: 10, 0: 10}, {4: 10.3}, False, id="a height before it"),
        pytest.param("no_coms", {0: 10}, {0: 11}, False, id="a correction, of what was known"),
        pytest.param("zero_reads", FLAT, FLAT_CORRECTED, True, id="corrections, of what was known"),
    ],
)
@pytest.mark.usefixtures("app")
def test_a_reading_that_came_later_is_not_known_unless_it_corrects_one(
    rule: str, before: dict[int, Any], late: dict[int, Any], is_flagged: bool
) -> None:
    import_sites("site_id,site_name", "S1,Site 1")
    send(lines("S1", before), run_of(0))
    number = run_daily(0)
    send(lines("S1", late), NEXT_DAY)
    assert was_flagged(number, rule) == is_flagged
    assert is_flagged_again(number, rule) == is_flagged


@pytest.mark.usefixtures("app")
def test_an_estimate_that_stood_then_is_no_reading() -> None:
    import_sites("site_id,site_name", "S1,Site 1")
    send(lines("S1", {0: 10}, "estimated"), run_of(0))
    number = run_daily(0)
    send(lines("S1", {0: 10}), NEXT_DAY)
    assert was_flagged(number, "no_coms")
    assert is_flagged_again(number, "no_coms")


def was_flagged(number: int, rule: str) -> bool:
    """Whether a run flagged any site."""
    of_rule = (RunSite.run_id == number, RunSite.rule == rule, RunSite.verdict == "flagged")
    return db.session.scalar(select(RunSite.site_key).where(*of_rule)) is not None


def is_flagged_again(number: int, rule: str) -> bool:
    """Whether the rule's statement flags any, asked as it was in a run."""
    ran = db.session.get_one(Run, number)
    past = Ran(number, ran.as_of, ran.as_of, ran.settings_version, 0, None, is_whole=True)
    policies = settings_service.stored_as(ran.settings_version).policies
    found = rule_named(rule)
    assert found
    return bool(flagged_again(db.session.connection(), found, policies, past, ""))


SITE = SiteChange("Site 1", None, active=True, group="", measure="register")


def edit(at: datetime, **values: Any) -> None:
    """Change the site."""
    site_service.edit("S1", replace(SITE, **values), author=Author("ada", at))


def snooze(at: datetime) -> None:
    """Snooze the site for some days."""
    last_day = (at + timedelta(days=9)).date()
    site_service.snooze("S1", last_day, "Roof works", LONDON, author=Author("ada", at))


def another_meter() -> None:
    """It was changed on the day before the run, and recorded on the day after."""
    site = db.session.scalars(select(Site)).one()
    record_change(site, Change(run_of(1).replace(hour=5)), author=Author("ada", NEXT_DAY))


def inactive_with_another_meter() -> None:
    another_meter()
    edit(NEXT_DAY, active=False)


def a_correction() -> None:
    """Another value of the only reading."""
    send(lines("S1", {0: 11}), NEXT_DAY)


def a_correction_long_ago() -> None:
    """One of which the former value is not kept any more."""
    a_correction()
    undo.expire(run_of(-20))


def nothing() -> None:
    pass


CASES: dict[str, tuple[str, dict[int, Any], Callable[[], Any], Callable[[], Any], str | None]] = {
    "nothing": ("no_coms", {9: 1}, nothing, nothing, None),
    "snoozed then": ("no_coms", {9: 1}, lambda: snooze(run_of(1)), nothing, "snoozed_then"),
    "snoozed since": ("no_coms", {9: 1}, nothing, lambda: snooze(NEXT_DAY), None),
    "inactive then": (
        "no_coms",
        {9: 1},
        lambda: edit(run_of(1), active=False),
        lambda: edit(NEXT_DAY),
        "inactive_then",
    ),
    "inactive now": ("no_coms", {9: 1}, nothing, lambda: edit(NEXT_DAY, active=False), None),
    "inactive now, and decided about": (
        "zero_reads",
        FLAT,
        nothing,
        inactive_with_another_meter,
        "inactive_now",
    ),
    "snoozed then, and not still": (
        "zero_reads",
        {6: 10, 3: 10, 2: 10, 1: 10, 0: 12},
        lambda: snooze(run_of(1)),
        lambda: send(lines("S1", {0: 10}), NEXT_DAY),
        None,
    ),
    "monitored from another date": (
        "no_coms",
        {},
        nothing,
        lambda: edit(NEXT_DAY, monitored_from=NOON.date()),
        "changed_since",
    ),
    "a meter change": ("zero_reads", FLAT, nothing, another_meter, "decided_since"),
    "a correction": ("no_coms", {0: 10}, nothing, a_correction, None),
    "a correction long ago": ("no_coms", {0: 10}, nothing, a_correction_long_ago, "late_reading"),
    "an import taken back": ("no_coms", {0: 10}, nothing, lambda: take_back(1), "taken_back"),
}
"""The rule, the readings when it ran, what happened before and after that, and why it says something else."""


@pytest.mark.parametrize("which", CASES)
@pytest.mark.usefixtures("app")
def test_of_a_run_that_differs_each_site_has_its_reason(which: str) -> None:
    rule, stored, before, after, why = CASES[which]
    import_sites("site_id,site_name,measure", "S1,Site 1,register")
    send(lines("S1", stored), run_of(0))
    before()
    run_daily(0)
    after()
    found = asked_again(rule)
    assert (found["runs"], found["equal"]) == (1, int(why is None))
    assert whys(found) == ({"S1": why} if why else {})


@pytest.mark.usefixtures("app")
def test_who_was_back_when_held_jobs_were_released_is_named() -> None:
    save(guard={"guard_min_sites": 2})
    import_sites("site_id,site_name", "S1,Site 1", "S2,Site 2")
    send([*lines("S1", {4: 1}), *lines("S2", {4: 1})], run_of(3))
    number = run_daily(0)
    send(lines("S2", {-1: 2}), NEXT_DAY)
    assert holds.release(number, Author("ada", NEXT_DAY)) == 1
    found = asked_again("no_coms")
    assert (found["runs"], found["equal"], whys(found)) == (1, 0, {"S2": "released"})


@pytest.mark.usefixtures("app")
def test_of_a_run_that_kept_no_sites_the_number_counts() -> None:
    import_sites("site_id,site_name,group", "S1,Site 1,North", "S2,Site 2,North")
    run_daily(1)
    run_daily(0)
    with write() as session:
        session.execute(delete(RunSite))
    assert asked_again("no_coms") == {"runs": 2, "equal": 2, "differing": []}
    assert asked_again("no_coms", "North")["runs"] == 0

    edit(NEXT_DAY, active=False)
    found = asked_again("no_coms")
    assert (found["runs"], found["equal"]) == (2, 0)
    assert [(one["flagged"], one["again"], one["sites"]) for one in found["differing"]] == [(2, 1, [])] * 2


@pytest.mark.usefixtures("app")
def test_what_nobody_would_read_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobauto.lab.agreement.LISTED", 1)
    import_sites("site_id,site_name", "S1,Site 1", "S2,Site 1")
    run_daily(1)
    run_daily(0)
    for site_id in ("S1", "S2"):
        site_service.edit(site_id, replace(SITE, monitored_from=NOON.date()), author=Author("ada", NEXT_DAY))
    found = asked_again("no_coms")
    assert (found["runs"], found["equal"]) == (2, 0)
    assert [(len(one["sites"]), one["more"]) for one in found["differing"]] == [(1, 1), (0, 2)]
