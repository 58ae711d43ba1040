"""The last 30 days of a site as a small picture, and in words."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.models.quality import Quality
from jobauto.sites.sparklines import Sparkline, sparklines
from tests.fleets import NOON, add_readings, add_site, daily, days_before
from tests.sites.readings import LONDON


def drawn(key: int) -> Sparkline:
    return sparklines(db.session.scalars(select(Site)).all(), NOON, LONDON)[key]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (range(0, 128, 4), "30 days with a yield, 4.00 kWh at most."),
        ([0, *[10] * 31], "0 days with a yield; 30 days of 0.00 kWh."),
        ([5, 7], "1 day with a yield, 2.00 kWh at most; 28 days without a reading."),
    ],
    ids=["full", "flat", "new"],
)
def test_each_of_the_last_30_days_is_a_bar_or_says_why_it_is_none(
    app: Flask, values: list[int], text: str
) -> None:
    assert drawn(add_site("S1", daily(values))).text == text


def test_the_day_of_now_may_still_be_silent(app: Flask) -> None:
    key = add_site("S1", daily(range(32), NOON - timedelta(days=1)))
    assert drawn(key).text == "29 days with a yield, 1.00 kWh at most."


def test_only_readings_that_count_are_drawn_and_no_step_to_another_meter(app: Flask) -> None:
    key = add_site("S1", daily(range(31), days_before(1)))
    add_readings(key, {days_before(0.5): 5_000_000}, quality=Quality.DOUBTFUL)
    add_readings(key, {days_before(0): 80_000}, meter=1)
    assert drawn(key).text == "29 days with a yield, 1.00 kWh at most."


def test_each_site_has_its_own_whatever_it_measures(app: Flask) -> None:
    add_site("other", daily([1, 500]))
    key = add_site(
        "S1", {days_before(1.2): 2, days_before(1.1): "1.5", days_before(0): 3}, measure="interval"
    )
    assert drawn(key).text == "2 days with a yield, 3.50 kWh at most; 28 days without a reading."
