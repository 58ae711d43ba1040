"""On both databases the one walk flags, at each slot and threshold, the very sites that the rule flags."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.detection.verdicts import judge
from jobauto.extensions import db
from jobauto.lab.slots import slots_of
from jobauto.lab.walk import BENCHES, active_sites, first_slot
from jobauto.models.types import from_microseconds
from jobauto.rules import RULES
from jobauto.rules.moment import Moment
from jobauto.rules.rule import FLAGGED, VERDICT
from jobauto.settings import service as settings_service
from tests.fleets import NOON, add_site

PLACES = range(0, 150, 7)


@pytest.fixture
def fleet(app: Flask) -> None:
    """Sites that are well, silent for a while, standing still, creeping, or never heard of."""
    random = Random(15)
    for number in range(25):
        at, value, readings = NOON - timedelta(days=random.randrange(5, 200)), Decimal(100), {}
        while at < NOON:
            at += timedelta(hours=random.choice([1, 12, 24, 24, 24, 24, 26, 24 * random.randrange(1, 40)]))
            value += random.choice([Decimal("0.00")] * 6 + [Decimal("0.01"), Decimal("7.5"), Decimal("7.5")])
            readings[at] = value
        add_site(f"S{number}", readings if number % 6 else {}, monitored_from=_some_date(random, number))
    add_site("switched off", {}, active=False)


def _some_date(random: Random, number: int) -> object:
    return (NOON - timedelta(days=random.randrange(200))).date() if number % 4 == 0 else None


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name in BENCHES], ids=lambda rule: rule.name)
def test_the_walk_flags_what_the_rule_flags(rule: object) -> None:
    settings = settings_service.current().settings
    slots = slots_of(settings.schedule, 90, NOON)
    bench = BENCHES[rule.name]
    with db.engine.connect() as connection:
        walked = _walked(connection, bench, settings, slots)
        for place in PLACES:
            moment = Moment(from_microseconds(slots.times[place]), settings.schedule.zone)
            for threshold in (bench.thresholds[0], 3, 4, 11, 30):
                section = settings.rule(rule.name).model_copy(
                    update=_changed(settings, rule, bench, threshold)
                )
                judge(connection, rule, section, moment)
                flagged = select(VERDICT.c.site_key).where(VERDICT.c.verdict == FLAGGED)
                with connection.begin():
                    asked = set(connection.scalars(flagged))
                judged = {
                    site.key
                    for site in active_sites(connection, "")
                    if first_slot(site.monitored_from, slots) <= place
                }
                connection.rollback()
                assert asked & judged == walked.get((place, threshold), set()), (place, threshold)
