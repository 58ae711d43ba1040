"""A year in squares: what is said of each day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.models import Job, Site
from jobauto.models.quality import Quality
from jobauto.readings import meter_changes
from jobauto.sites.calendar import Calendar, Square, calendar
from jobauto.sites.year import span, year_of_days
from jobauto.sites.years import years
from tests.fleets import NOON, add_readings, add_site
from tests.sites.readings import LONDON

Days = Mapping[str, Any]


def at(text: str) -> datetime:
    """``03-30 12:00`` of 2026, in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def a_year(key: int, now: datetime = NOON, **beside: Any) -> Calendar:
    """The calendar of 2026 of a site."""
    site = db.session.get_one(Site, key)
    reported = span(key, now)
    assert reported is not None
    return calendar(year_of_days(site, 2026, reported, now, LONDON), now, LONDON, **beside)


def squares(found: Calendar) -> dict[date, Square]:
    return {square.day: square for month in found.months for square in month.squares}


def told(found: Calendar) -> dict[str, tuple[str, Any]]:
    """Kind and kWh of the days that have something to tell, as ``03-30``."""
    return {f"{square.day:%m-%d}": (square.kind, square.kwh) for square in found.told}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (
            {"03-28 12:00": 10, "03-29 12:00": 13, "03-30 12:00": 13, "03-31 06:00": 15},
            {"03-29": ("yield", 3), "03-30": ("flat", 0), "03-31": ("yield", 2)},
        ),
        (
            {"03-24 12:00": 10, "03-25 12:00": 12, "03-28 12:00": 20, "03-29 12:00": 24, "03-30 22:30": 25},
            {
                "03-25": ("yield", 2),
                "03-26": ("silent", None),
                "03-27": ("silent", None),
                "03-28": ("unknown", None),
                "03-29": ("yield", 4),
                "03-30": ("yield", 1),
            },
        ),
        (
            {"03-27 12:00": 10, "03-28 12:00": 12},
            {
                "03-28": ("yield", 2),
                "03-29": ("silent", None),
                "03-30": ("silent", None),
                "03-31": ("silent", None),
            },
        ),
        ({"03-29 12:00": 10, "03-30 12:00": 12}, {"03-30": ("yield", 2)}),
        # Midnight in London, where summer has come on the 29th, closes the day before.
        (
            {"03-29 00:00": 10, "03-29 23:00": 12, "03-30 23:00": 15},
            {"03-29": ("yield", 2), "03-30": ("yield", 3)},
        ),
    ],
    ids=["a day of 0.00", "a gap", "a silence", "a reading that may be on its way", "a change of the clocks"],
)
def test_a_day_is_a_yield_or_says_why_it_is_none(
    app: Flask, sent: Days, found: dict[str, tuple[str, Any]]
) -> None:
    assert told(a_year(add_site("S1", {at(text): kwh for text, kwh in sent.items()}))) == found


@pytest.mark.parametrize(
    ("quality", "kind"),
    [
        (Quality.DOUBTFUL, "doubt"),
        (Quality.WRONG, "aside"),
        (Quality.IGNORED, "aside"),
        (Quality.ESTIMATED, "aside"),
    ],
)
def test_a_reading_that_does_not_count_makes_no_yield(app: Flask, quality: Quality, kind: str) -> None:
    key = add_site("S1", {at("03-27 12:00"): 10, at("03-28 12:00"): 12, at("03-30 12:00"): 16})
    add_readings(key, {at("03-29 12:00"): 9999}, quality=quality)
    assert told(a_year(key)) == {"03-28": ("yield", 2), "03-29": (kind, None), "03-30": ("unknown", None)}


@pytest.mark.parametrize(
    ("closing", "opening", "found"),
    [(Decimal(105), Decimal(1), ("yield", Decimal(7))), (None, Decimal(1), ("unknown", None))],
)
def test_a_day_on_which_the_meter_was_changed_has_the_yield_of_both(
    app: Flask, closing: Decimal | None, opening: Decimal, found: tuple[str, Decimal | None]
) -> None:
    key = add_site("S1", {at("03-28 12:00"): 98, at("03-29 12:00"): 100}, measure="register")
    add_readings(key, {at("03-30 12:00"): 3}, meter=1)
    change = meter_changes.Change(at("03-30 08:00"), closing, opening)
    meter_changes.record_change(db.session.get_one(Site, key), change, author=Author("ada", NOON))
    db.session.rollback()
    assert told(a_year(key)) == {"03-29": ("yield", 2), "03-30": found}


def test_the_days_of_intervals_are_added_up_and_a_register_that_counts_down_is_turned_round(
    app: Flask,
) -> None:
    sent = {
        at("03-29 06:00"): "1.5",
        at("03-29 12:00"): "2.25",
        at("03-29 23:00"): "0.25",
        at("03-30 12:00"): 0,
    }
    intervals = add_site("S1", sent, measure="interval")
    down = add_site("S2", {at("03-29 12:00"): 10, at("03-30 12:00"): 7}, counts="down")
    assert told(a_year(intervals)) == {"03-29": ("yield", Decimal("4.00")), "03-30": ("flat", 0)}
    assert told(a_year(down)) == {"03-30": ("yield", 3)}


def test_snoozes_and_jobs_are_marked_on_their_local_days_and_said_in_words(app: Flask) -> None:
    key = add_site("S1", {at("03-28 12:00"): 10, at("03-29 12:00"): 12, at("03-30 12:00"): 17})
    job = Job(id=47, created_at=at("03-29 23:30"))  # half past midnight in London
    found = a_year(key, snoozes=[(at("03-27 12:00"), at("03-28 00:00"))], jobs=[job])
    by_day = squares(found)
    assert {day for day, square in by_day.items() if square.snoozed} == {date(2026, 3, 27)}
    assert {day for day, square in by_day.items() if square.jobs} == {date(2026, 3, 30)}
    assert by_day[date(2026, 3, 30)].title() == "2026-03-30: 5.00 kWh; Job 47 opened"
    assert by_day[date(2026, 3, 27)].title() == "2026-03-27: Snoozed"
    assert (by_day[date(2026, 3, 29)].shade, by_day[date(2026, 3, 30)].shade) == (2, 5)
    assert found.summary == "2026: 2 days with a yield, 7.00 kWh; 1 day snoozed; 1 job opened."


def test_days_under_an_incident_are_marked_to_its_end_and_said_in_words(app: Flask) -> None:
    key = add_site("S1", {at("03-26 12:00"): 10, at("03-27 12:00"): 12})
    found = a_year(key, covers=[(46, at("03-28 23:30"), at("03-30 23:00"))])  # ends at midnight in London
    covered = {day: square.covered_by for day, square in squares(found).items() if square.covered_by}
    assert covered == {date(2026, 3, 28): (46,), date(2026, 3, 29): (46,), date(2026, 3, 30): (46,)}
    assert [square.note() for square in found.told if square.day == date(2026, 3, 29)] == [
        "No reading; covered by job 46"
    ]
    assert "3 days covered by an incident" in found.summary


def test_an_incident_of_ages_is_marked_on_the_days_of_the_year_alone(app: Flask) -> None:
    """The last day that there is has none after it."""
    key = add_site("S1", {at("03-26 12:00"): 10, at("03-27 12:00"): 12})
    ages = (datetime(1, 1, 2, tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    found = a_year(key, covers=[(46, *ages)])
    assert all(square.covered_by == (46,) for square in squares(found).values())


def test_what_a_year_has_made_is_told_beside_what_single_days_tell(app: Flask) -> None:
    """A gap, and the first day, have no yield of their own."""
    key = add_site(
        "S1", {at("03-24 06:00"): 9, at("03-24 12:00"): 10, at("03-25 12:00"): 12, at("03-28 12:00"): 20}
    )
    site, reported = db.session.get_one(Site, key), span(key, NOON)
    assert reported is not None
    (made,) = years(site, reported, NOON, LONDON)
    assert a_year(key, made=made).summary.startswith(
        "2026: 11.00 kWh from its first reading to its last; day by day 1 day with a yield, 2.00 kWh; "
    )


def test_a_year_has_a_square_for_each_of_its_days_and_the_first_goes_on_from_the_year_before(
    app: Flask,
) -> None:
    new_year = datetime(2025, 12, 31, 12, tzinfo=UTC)
    key = add_site("S1", {new_year: 10, new_year + timedelta(days=1): 14})
    found = a_year(key, now=new_year + timedelta(days=1.5))
    assert [len(month.squares) for month in found.months] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert told(found) == {"01-01": ("yield", 4)}
