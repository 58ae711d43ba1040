"""Whatever reading an import ends with, what is stored is what a walk over all says."""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.models import Reading, Review, Site
from jobauto.models.types import from_microseconds, to_microseconds
from jobauto.quality.register import Register
from jobauto.quality.walk import walk
from tests.fleets import NOON, add_site
from tests.quality.readings import daily

LATER = NOON.replace(year=2100)


def send(lines: Sequence[str]) -> None:
    """Import lines, a few of them in a transaction."""
    file = BytesIO("\n".join(["site_id,reading_date,reading_value,quality", *lines]).encode())
    readings.import_readings(readings.from_csv(file), zone=ZoneInfo("Europe/London"), now=LATER)


def require_as_walked(site_id: str) -> None:
    """What is stored of a site is what a walk over its stored readings says."""
    db.session.rollback()
    site = db.session.scalars(select(Site).where(Site.site_id == site_id)).one()
    stored = db.session.scalars(
        select(Reading).where(Reading.site_key == site.key).order_by(Reading.reading_date)
    ).all()
    register = Register(site.capacity_kwp, counts_down=site.counts == "down")
    walked = walk(
        [(to_microseconds(one.reading_date), int(one.reading_value * 1000)) for one in stored],
        register,
        [place for place, one in enumerate(stored) if one.quality == 4],
    )
    assert [one.quality for one in stored] == list(walked.qualities)
    assert [one.meter for one in stored] == list(walked.meters)
    kept = select(Review).where(Review.site_key == site.key).order_by(Review.started_at, Review.is_unsteady)
    told = [
        (review.kind, to_microseconds(review.started_at), review.readings, review.after)
        for review in db.session.scalars(kept)
    ]
    assert told == [
        (
            review.kind.value,
            review.since,
            len(review.places),
            None if review.after is None else Decimal(review.after) / 1000,
        )
        for review in walked.reviews
    ]
    assert site.known_measure == ("register" if stored else site.measure)


@pytest.mark.parametrize(
    "kwh",
    [
        "5087 0 0 0 0 5100",
        "100 101 0 1 2 " + " ".join(str(value) for value in range(3, 40)),
        "100 103 106 5000000 112 115 118",
        "100 101 102 0 0 103 0 104 105 106",
    ],
    ids=["back to the old meter", "a new meter that goes on", "a spike", "zeroes"],
)
def test_an_import_may_end_after_any_reading(app: Flask, kwh: str) -> None:
    lines = [f"{{}},{from_microseconds(at).isoformat()},{value / 1000}," for at, value in daily(kwh)]
    for place in range(len(lines) + 1):
        add_site(f"E{place}")
        for some in (lines[:place], lines[place:]):
            send([line.format(f"E{place}") for line in some])

        require_as_walked(f"E{place}")
