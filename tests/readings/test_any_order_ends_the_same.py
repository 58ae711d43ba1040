"""In whatever order and pieces readings come and people speak, what is stored is what the contract says.

The contract is walked by the tests' own oracle, over what there is in the end.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
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

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.imports import readings
from jobauto.imports.bulk.postgresql import DistributedBulk, PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.models import DecidedReading, Decision, MeterChange, Reading, Review, Site, ToClassify
from jobauto.models.quality import Quality, ReviewDecision
from jobauto.readings.decisions import decide
from jobauto.readings.meter_changes import Change, record_change
from tests.databases import DISTRIBUTED, PARTITIONED, POSTGRESQL, SQLITE, Changed, Postgresql, Sqlite
from tests.distributing import sending
from tests.distribution.rules import refused
from tests.fleets import NOON, add_site
from tests.quality import oracle
from tests.quality.test_walk_agrees_with_the_oracle import histories

NUMBERS = count(1)
KINDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "capacity_kwp": st.sampled_from([None, None, Decimal("0.5"), Decimal(40)]),
        "counts": st.sampled_from(["up", "up", "down"]),
        "measure": st.sampled_from([None, "register"]),
    }
)
ALWAYS_THE_SAME = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Told = dict[tuple[datetime, bool], tuple[object, ...]]
"""Reviews by what tells them apart: their first reading, and whether they are about an unsteady site."""


@pytest.fixture(params=[SQLITE, POSTGRESQL, PARTITIONED])
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql | Changed:
    """Each kind of database in turn."""
    kind: Sqlite | Postgresql | Changed = request.getfixturevalue(request.param)
    return kind


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import of a few readings has several batches."""
    for way in (SqliteBulk, PostgresqlBulk, DistributedBulk):
        monkeypatch.setattr(way, "BATCH", 4)


@pytest.fixture
def by_the_rules(app: Flask) -> Iterator[None]:
    """Whatever is sent, a distributed database takes; but for the sites that the test itself adds."""
    with sending() as sent:
        yield
    assert refused(one for one in sent if not one.startswith("INSERT INTO site ")) == {}


@settings(ALWAYS_THE_SAME, max_examples=60)
@given(st.data())
def test_any_order_any_pieces_and_decisions_at_any_time_end_the_same(
    app: Flask, small_batches: None, data: st.DataObject
) -> None:
    _end_the_same(data)


@pytest.mark.parametrize("engine", [DISTRIBUTED], indirect=True)
@settings(ALWAYS_THE_SAME, max_examples=20)
@given(st.data())
def test_so_do_they_on_a_distributed_database(
    app: Flask, small_batches: None, by_the_rules: None, data: st.DataObject
) -> None:
    _end_the_same(data)


def _end_the_same(data: st.DataObject) -> None:
    histories_of = {}
    for _ in range(data.draw(st.integers(1, 2))):
        site_id = f"H{next(NUMBERS)}"
        histories_of[site_id] = _up_to_noon(data.draw(histories()))
        add_site(site_id, None, **data.draw(KINDS))
    lines = [_line(site_id, sent) for site_id, of_site in histories_of.items() for sent in of_site]
    lines = data.draw(st.sampled_from([lines, sorted(lines, key=lambda line: line.split(",")[1])]))
    lines = data.draw(st.one_of(st.just(lines), st.permutations(lines)))
    ends = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    for number, (start, end) in enumerate(zip([0, *ends], [*ends, len(lines)], strict=True)):
        _send(lines[start:end])
        _say(data, sorted(histories_of), NOON + timedelta(seconds=number))

    for site_id, of_site in histories_of.items():
        _require_as_told(site_id, of_site)
    assert db.session.scalars(select(ToClassify)).all() == []


def _up_to_noon(history: list[oracle.Reading]) -> list[oracle.Reading]:
    late = history[-1].at - NOON
    return [replace(reading, at=reading.at - late) for reading in history]


def _line(site_id: str, sent: oracle.Reading) -> str:
    return f"{site_id},{sent.at.isoformat()},{sent.value},{'estimated' if sent.estimated else ''}"


def _send(lines: list[str]) -> None:
    file = BytesIO("\n".join(["site_id,reading_date,reading_value,quality", *lines]).encode())
    result = readings.import_readings(readings.from_csv(file), zone=ZoneInfo("Europe/London"), now=NOON)
    assert (result.new, result.rejected) == (len(lines), 0)


def _say(data: st.DataObject, site_ids: list[str], now: datetime) -> None:
    """Perhaps somebody decides about a review, takes a decision back, or records a meter change."""
    author, site_id = Author("oscar", now), data.draw(st.sampled_from(site_ids))
    of_site = select(Site).where(Site.site_id == site_id)
    ids = select(Review.id).join(Site, Site.key == Review.site_key).where(Site.site_id == site_id)
    db.session.rollback()
    reviews = db.session.scalars(ids.order_by(Review.started_at, Review.is_unsteady)).all()
    does = data.draw(st.sampled_from(["nothing", "decides", "decides", "changes"]))
    if does == "decides" and reviews:
        decision = data.draw(st.sampled_from([*ReviewDecision, None]))
        decide([data.draw(st.sampled_from(reviews))], decision, author=author)
    elif does == "changes" and data.draw(st.booleans()):
        at = NOON - timedelta(hours=data.draw(st.sampled_from([0, 12, 36, 5 * 24, 12 * 24 + 1])))
        record_change(db.session.scalars(of_site).one(), Change(at), author=author)


def _require_as_told(site_id: str, sent: list[oracle.Reading]) -> None:
    db.session.rollback()
    site = db.session.scalars(select(Site).where(Site.site_id == site_id)).one()
    query = select(Reading).where(Reading.site_key == site.key).order_by(Reading.reading_date)
    stored = db.session.scalars(query).all()
    assert [(one.reading_date, one.reading_value) for one in stored] == [(one.at, one.value) for one in sent]

    contract = oracle.Site(
        sent,
        capacity=site.capacity_kwp,
        down=site.counts == "down",
        changes=list(
            db.session.scalars(select(MeterChange.changed_at).where(MeterChange.site_key == site.key))
        ),
        said=_said(site.key),
    )
    contract.walk()
    assert [Quality(one.quality).word for one in stored] == [contract.quality(one) for one in sent]
    assert [one.meter for one in stored] == [contract.meter(one) for one in sent]
    assert _stored(site.key) == _told(contract)
    assert site.known_measure == "register"


def _said(site_key: int) -> list[oracle.Said]:
    decisions = select(Decision).where(Decision.site_key == site_key)
    found = db.session.scalars(decisions.order_by(Decision.decided_at, Decision.id)).all()
    return [oracle.Said(one.decision, _about(one.id), one.kind) for one in found]


def _about(decision_id: int) -> tuple[oracle.Reading, ...]:
    readings = select(DecidedReading).where(DecidedReading.decision_id == decision_id)
    found = db.session.scalars(readings.order_by(DecidedReading.reading_date))
    return tuple(oracle.Reading(one.reading_date, one.reading_value) for one in found)


def _stored(site_key: int) -> Told:
    found = db.session.scalars(select(Review).where(Review.site_key == site_key)).all()
    return {
        (one.started_at, one.is_unsteady): (
            one.kind,
            one.readings,
            one.before,
            one.after,
            one.decision,
            one.decided_by,
            one.capacity_too_small,
        )
        for one in found
    }


def _told(contract: oracle.Site) -> Told:
    """Of two decisions whose first reading is the same, the later one is shown."""
    return {
        (one.readings[0], one.kind == "unsteady"): (
            one.kind,
            len(one.readings),
            one.before,
            one.after,
            one.decision,
            "oscar" if one.by_person else None,
            one.too_small,
        )
        for one in sorted(contract.told(), key=lambda one: one.by_person)
    }
