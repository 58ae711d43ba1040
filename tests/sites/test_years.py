"""What a site has made in each year."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Site
from jobauto.models.quality import Quality
from jobauto.readings import meter_changes
from jobauto.sites.year import span
from jobauto.sites.years import years
from tests.fleets import NOON, add_readings, add_site
from tests.sites.readings import LONDON

Told = list[tuple[int, Any, bool]]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)


def told(key: int) -> Told:
    """(year, kWh, whether it is at least so much), newest first."""
    reported = span(key, NOON)
    assert reported is not None
    return [
        (one.year, one.kwh, one.is_least)
        for one in years(db.session.get_one(Site, key), reported, NOON, LONDON)
    ]


def test_a_year_is_what_stands_at_its_end_less_what_stood_before_it(app: Flask) -> None:
    sent = {"2023-11-01": 50, "2023-12-30": 60, "2024-06-01": 100, "2025-02-01": 130, "2026-03-30": 200}
    key = add_site("S1", {at(day): kwh for day, kwh in sent.items()})
    add_readings(key, {at("2024-12-30"): 99999}, quality=Quality.WRONG)
    assert told(key) == [(2026, 70, False), (2025, 30, False), (2024, 40, False), (2023, 10, False)]


def test_a_year_without_a_reading_has_no_yield_and_the_next_has_that_of_both(app: Flask) -> None:
    key = add_site("S1", {at("2023-11-01"): 50, at("2023-12-01"): 60, at("2026-01-05"): 100})
    assert told(key) == [(2026, 40, False), (2023, 10, False)]


@pytest.mark.parametrize(
    ("closing", "found"),
    [(Decimal(170), (2025, Decimal(90), False)), (None, (2025, Decimal(60), True))],
    ids=["written down", "not written down"],
)
def test_a_year_with_a_meter_change_has_the_yield_of_both_meters(
    app: Flask, closing: Decimal | None, found: tuple[int, Decimal, bool]
) -> None:
    key = add_site("S1", {at("2024-12-31"): 100, at("2025-03-01"): 150}, measure="register")
    add_readings(key, {at("2025-04-01"): 20, at("2025-12-31"): 30, at("2026-02-01"): 35}, meter=1)
    change = meter_changes.Change(at("2025-03-15"), closing, Decimal(10))
    meter_changes.record_change(db.session.get_one(Site, key), change, author=Author("ada", NOON))
    db.session.rollback()
    assert told(key) == [(2026, 5, False), found]


def test_the_intervals_of_a_year_are_added_up_and_those_of_midnight_belong_to_the_old_one(app: Flask) -> None:
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    sent = {at("2025-06-01"): "1.125", midnight: 2, midnight.replace(hour=1): 4}
    assert told(add_site("S1", sent, measure="interval")) == [
        (2026, 4, False),
        (2025, Decimal("3.125"), False),
    ]


def test_a_register_that_counts_down_has_made_what_it_fell_by(app: Flask) -> None:
    key = add_site("S1", {at("2025-12-31"): 100, at("2026-03-01"): 70}, counts="down")
    assert told(key) == [(2026, 30, False)]
