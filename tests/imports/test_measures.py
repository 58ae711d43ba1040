"""Sites take the measure of the first import of intervals; what was read as the other one is not stored."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import undo
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.fleet import sites_among
from jobauto.models import Import, ImportSite, Site
from tests.fleets import NOON, add_site
from tests.imports.test_undoing import lines, values
from tests.imports.undoing import ADA, send, take_back


@pytest.fixture
def two_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteBulk, "BATCH", 2)
    monkeypatch.setattr(PostgresqlBulk, "BATCH", 2)


def measure_of(site_id: str) -> str | None:
    db.session.rollback()
    return db.session.scalar(select(Site.measure).where(Site.site_id == site_id))


def counts_of(number: int) -> tuple[int, int]:
    """How many rows were new, and how many rejected."""
    db.session.rollback()
    entry = db.session.get_one(Import, number)
    return entry.new, entry.rejected


@pytest.mark.usefixtures("two_rows_at_a_time")
def test_one_that_stores_again_what_was_undone_meanwhile_claims_its_sites_again(app: Flask) -> None:
    add_site("S1")
    first = send(lines(3, 4, 5, 6), measure="interval")
    undone: list[object] = []

    def undo_it(*_: object) -> None:
        if not undone:
            undone.append(take_back(first))
            assert measure_of("S1") is None

    other = send(lines(3, 4, 5, 6), now=utcnow(), progress=undo_it, measure="interval")

    assert (measure_of("S1"), values()) == ("interval", ["3.00", "4.00", "5.00", "6.00"])
    take_back(other)
    assert (measure_of("S1"), values()) == (None, [])


def test_a_site_with_estimated_readings_alone_refuses_intervals_and_the_others_take_them(app: Flask) -> None:
    add_site("S1")
    add_site("S2")
    send(lines("1e"))

    number = send([*lines(2, first=1), *lines(3, site="S2")], measure="interval")
    assert counts_of(number) == (1, 1)
    assert (measure_of("S1"), measure_of("S2")) == (None, "interval")


@pytest.mark.usefixtures("two_rows_at_a_time")
def test_a_site_that_others_claim_after_it_was_looked_up_gets_no_registers(app: Flask) -> None:
    add_site("S1")
    add_site("S2")
    claimed: list[int] = []

    def claim(*_: object) -> None:
        if not claimed:
            claimed.append(send(lines(7), measure="interval"))

    contradiction = [*lines(1, first=3), *lines(2, first=3)]
    more = [*lines(100, first=4), *lines(100, first=4, site="S2"), *lines(101, first=5)]
    number = send([*contradiction, *more], progress=claim)

    assert counts_of(number) == (1, 4)
    assert (values("S1"), values("S2")) == (["7.00"], ["100.00"])


@pytest.mark.usefixtures("two_rows_at_a_time")
def test_a_site_that_got_registers_after_it_was_looked_up_gets_no_intervals(app: Flask) -> None:
    add_site("S1")
    add_site("S2")
    sent: list[int] = []

    def send_registers(*_: object) -> None:
        if not sent:
            sent.append(send(lines(7)))

    contradiction = [*lines(1, first=3), *lines(2, first=3)]
    more = [*lines(1, first=4), *lines(1, first=4, site="S2")]
    number = send([*contradiction, *more], progress=send_registers, measure="interval")

    assert counts_of(number) == (1, 3)
    assert (values("S1"), measure_of("S1")) == (["7.00"], None)
    assert (values("S2"), measure_of("S2")) == (["1.00"], "interval")


def test_a_site_with_readings_of_which_nobody_said_anything_is_known_to_be_a_register(app: Flask) -> None:
    add_site("S1", {NOON: 1})
    add_site("S2")
    assert {name: site.measure for name, site in sites_among({"S1", "S2"}).items()} == {
        "S1": "register",
        "S2": None,
    }


def test_a_site_none_of_whose_rows_is_stored_is_not_claimed(app: Flask) -> None:
    add_site("S1")
    send([*lines(1), *lines(2)], measure="interval")
    assert measure_of("S1") is None


def test_a_claim_can_be_taken_back_as_soon_as_it_is_made(app: Flask) -> None:
    add_site("S1")
    told: list[object] = []

    def look(*_: object) -> None:
        db.session.rollback()
        told.extend(db.session.scalars(select(ImportSite.claimed)))

    send(lines(1, 2), progress=look, measure="interval")
    assert told == [True]


def test_the_undo_of_one_that_was_killed_gives_the_measure_back(app: Flask) -> None:
    add_site("S1")
    number = send(lines(1, 2, 3), measure="interval")
    with db.engine.begin() as connection:  # as its first batch, of one row, has left it
        connection.execute(update(ImportSite).values(last_at=ImportSite.first_at))
        connection.execute(update(Import).values(first_at=None))
    take_back(number)
    assert (values(), measure_of("S1")) == ([], None)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.usefixtures("two_rows_at_a_time")
def test_an_undo_that_began_before_the_import_counts_as_one_meanwhile(app: Flask, *, ends: bool) -> None:
    add_site("S1")
    first = send(lines(3, 4, 5, 6))
    undo.claim(first, ADA)
    before, now = ADA.now, ADA.now + timedelta(minutes=1)
    times = iter([before] * 3 + [now + timedelta(seconds=1)] * ends)
    done: list[int] = []

    def clock() -> datetime:
        if (at := next(times, None)) is None:
            raise ConnectionError("its process dies")
        return at

    def go_on(*_: object) -> None:
        if not done:
            done.append(first)
            if ends:
                undo.go_on(first, clock)
            else:
                with pytest.raises(ConnectionError):
                    undo.go_on(first, clock)

    send(lines(3, 4, 5, 6), now=now, progress=go_on)
    assert values() == ["3.00", "4.00", "5.00", "6.00"]
