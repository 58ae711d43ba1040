"""However readings come, in one file or many, early or late: what is stored is what a walk over all says."""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports import bulk, readings
from jobauto.models import Reading, Review, Site, ToClassify
from jobauto.models.types import from_microseconds, to_microseconds
from jobauto.quality.register import Register
from jobauto.quality.walk import walk
from tests.fleets import NOON, add_site
from tests.quality.oracle import Reading as Sent
from tests.quality.readings import daily
from tests.quality.test_walk_agrees_with_the_oracle import histories

NUMBERS = count(1)
LATER = NOON.replace(year=2100)
KINDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "capacity_kwp": st.sampled_from([None, None, Decimal("0.5"), Decimal(40)]),
        "counts": st.sampled_from(["up", "up", "down"]),
        "measure": st.sampled_from([None, "register"]),
    }
)


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


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_order_and_any_split_into_imports_end_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(bulk.SqliteBulk, "BATCH", 4)
    monkeypatch.setattr(bulk.PostgresqlBulk, "BATCH", 4)
    lines, site_ids = [], []
    for _ in range(data.draw(st.integers(1, 3))):
        site_id = f"H{next(NUMBERS)}"
        site_ids.append(site_id)
        add_site(site_id, None, **data.draw(KINDS))
        lines += [line_of(site_id, sent) for sent in data.draw(histories())]
    if data.draw(st.booleans()):
        lines = data.draw(st.permutations(lines))
    elif data.draw(st.booleans()):
        lines = sorted(lines, key=lambda line: line.split(",")[1])
    ends = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    for start, end in zip([0, *ends], [*ends, len(lines)], strict=True):
        send(lines[start:end])

    for site_id in site_ids:
        require_as_walked(site_id)
    with db.engine.connect() as connection:
        assert list(connection.execute(select(ToClassify))) == []


def line_of(site_id: str, sent: Sent) -> str:
    quality = "estimated" if sent.estimated else ""
    return f"{site_id},{sent.at.isoformat()},{sent.value},{quality}"


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
