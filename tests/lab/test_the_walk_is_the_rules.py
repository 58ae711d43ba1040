"""On both databases the one walk flags, at each slot and threshold, the very sites that the rule flags."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from flask import Flask
from sqlalchemy import Connection, select

from jobauto.detection.verdicts import judge
from jobauto.extensions import db
from jobauto.lab.slots import Slots, slots_of
from jobauto.lab.stream import series_of
from jobauto.lab.walk import BENCHES, LONGEST_WINDOW, active_sites, first_slot
from jobauto.models.types import from_microseconds
from jobauto.rules import rule_named
from jobauto.rules.rule import FLAGGED, VERDICT
from jobauto.settings.policies import Policies
from jobauto.settings.schema import Settings
from tests.fleets import NOON
from tests.imports.importing import import_readings, import_sites

SITES = 30
PLACES = range(0, 150, 13)
THRESHOLDS = (2, 3, 4, 11, 30)
SETTINGS = Settings().changed({"ZERO_READS": {"min_increase": 0.02}})
HOURS = (1, 12, 24, 24, 24, 24, 24, 24, 26)
STEPS = tuple(map(Decimal, ("0", "0", "0", "0", "0", "0", "0.01", "7.5", "7.5", "7.5")))

Flagged = dict[tuple[int, int], set[int]]


@pytest.fixture
def fleet(app: Flask) -> None:
    """Sites that are well, silent for a while, standing still, creeping, or were never heard of.

    Some send intervals and some count down; some send zeroes in between, or have got another meter.
    """
    chance = Random(15)  # noqa: S311 (the same each time)
    lines, sites = [], ["off,Off,,false,,"]
    for number in range(SITES):
        measure, counts = (
            ("interval", "up") if number % 5 == 1 else ("register", "down" if number % 5 == 2 else "up")
        )
        begins = (NOON - timedelta(days=chance.randrange(200))).date() if number % 4 == 0 else ""
        sites.append(f"S{number},Site {number},{begins},true,{measure},{counts}")
        if number % 7:
            lines += [f"S{number},{at.isoformat()},{kwh}" for at, kwh in _readings(chance, measure, counts)]
    import_sites("site_id,site_name,monitored_from,active,measure,counts", *sites)
    assert import_readings(lines).rejected == 0


def _readings(chance: Random, measure: str, counts: str) -> Iterator[tuple[datetime, Decimal]]:
    at, value = NOON - timedelta(days=chance.randrange(5, 200)), Decimal(5000)
    while (at := at + _gap(chance)) <= NOON:
        step = chance.choice(STEPS)
        value += -step if counts == "down" else step
        if measure == "interval":
            yield at, step
        elif chance.random() < 0.03:
            yield at, Decimal(0)
        else:
            if chance.random() < 0.01:
                value = Decimal(2000)
            yield at, value


def _gap(chance: Random) -> timedelta:
    return timedelta(hours=24 * chance.randrange(2, 40) if chance.random() < 0.03 else chance.choice(HOURS))


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("name", BENCHES)
def test_the_walk_flags_what_the_rule_flags(name: str) -> None:
    slots = slots_of(SETTINGS.schedule, 90, NOON)
    with db.engine.connect() as connection:
        with connection.begin():
            walked = _walked(connection, name, slots)
            sites = active_sites(connection, "")
        for place in PLACES:
            judged = {site.key for site in sites if first_slot(site.monitored_from, slots) <= place}
            for threshold in THRESHOLDS:
                asked = _asked(connection, name, from_microseconds(slots.times[place]), threshold)
                assert walked[place, threshold] == asked & judged, (place, threshold)
    assert {threshold for (place, threshold), sites in walked.items() if sites and place in PLACES} >= {
        *THRESHOLDS
    }


def _walked(connection: Connection, name: str, slots: Slots) -> Flagged:
    """The sites that the walk flags, by the index of the slot and the threshold."""
    flagged: Flagged = defaultdict(set)
    judge_series = BENCHES[name].judge(SETTINGS)
    for site, series in series_of(connection, active_sites(connection, ""), slots.times[0] - LONGEST_WINDOW):
        begins = first_slot(site.monitored_from, slots)
        for place, thresholds, _ in judge_series(series, slots)[0]:
            for threshold in THRESHOLDS:
                if place >= begins and thresholds >> threshold & 1:
                    flagged[place, threshold].add(site.key)
    return flagged


def _asked(connection: Connection, name: str, as_of: datetime, threshold: int) -> set[int]:
    """The sites that the rule flags."""
    rule = rule_named(name)
    assert rule
    section = SETTINGS.rule(name).model_copy(update={BENCHES[name].field: threshold}).reconciled()
    settings = SETTINGS.model_copy(update={name: section})
    judge(connection, rule, Policies(settings), settings.moment(as_of), as_of)
    with connection.begin():
        return set(connection.scalars(select(VERDICT.c.site_key).where(VERDICT.c.verdict == FLAGGED)))
