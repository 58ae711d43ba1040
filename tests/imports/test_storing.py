"""Readings are stored in bulk while they are new, and compared when they are not; the counts are the same."""

import gc
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete

from jobauto.extensions import db
from jobauto.imports import readings, rows
from jobauto.imports.bulk.choosing import bulk_of
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.bulk.way import UNSTAMPED, AlreadyStored, Bulk, Comparison, Ready, WhileWaiting
from jobauto.imports.result import ImportResult
from jobauto.imports.site_keys import SiteKeys
from jobauto.models import Site
from jobauto.storage.connections import write
from tests.databases import POSTGRESQL
from tests.fleets import NOON, add_site
from tests.imports.importing import Counts, counts, import_readings, stored_readings

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 4)


def lines(*values: int, start: int = 0) -> list[str]:
    """A line an hour with each of the values."""
    stamps = [START + timedelta(hours=start + place) for place in range(len(values))]
    return [f"S1,{stamp:%Y-%m-%dT%H:%MZ},{value}" for stamp, value in zip(stamps, values, strict=True)]


def stored() -> list[int]:
    """The values in the order of their instants."""
    return [int(value) for _, value in sorted(stored_readings().items())]


@pytest.mark.parametrize(
    ("before", "then", "expected", "left"),
    [
        pytest.param(0, 12, (12, 0, 0, 0), 12, id="three new batches"),
        pytest.param(12, 12, (0, 0, 12, 0), 12, id="three batches that are stored"),
        pytest.param(4, 12, (8, 0, 4, 0), 12, id="stored, then new"),
        pytest.param(6, 12, (6, 0, 6, 0), 12, id="a batch that is half stored, then new"),
        pytest.param(12, 6, (0, 0, 6, 0), 12, id="fewer than are stored"),
    ],
)
def test_an_import_goes_on_where_another_has_ended(
    app: Flask, before: int, then: int, expected: Counts, left: int
) -> None:
    add_site("S1")
    import_readings(lines(*range(before)))

    assert counts(import_readings(lines(*range(then)))) == expected
    assert stored() == list(range(left))


def test_new_batches_that_meet_something_stored_are_compared_after_all(app: Flask) -> None:
    add_site("S1")
    import_readings(lines(5, 99, start=5))

    assert counts(import_readings(lines(*range(12)))) == (10, 1, 1, 0)
    assert stored() == list(range(12))


def test_a_batch_that_repeats_itself_does_not_spoil_the_new_ones(app: Flask) -> None:
    add_site("S1")
    file = [*lines(0, 1, 2, 3), *lines(4, 5, start=4), *lines(4, 5, start=4), *lines(6, 7, 8, start=6)]

    assert counts(import_readings(file)) == (9, 0, 2, 0)
    assert stored() == list(range(9))
    assert counts(import_readings(file)) == (0, 0, 11, 0)


def test_what_another_import_stores_in_between_is_met(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have found nothing stored, and the other was faster."""
    add_site("S1")
    engine: Any = PostgresqlBulk if db.engine.dialect.name == "postgresql" else SqliteBulk
    compare = engine.compare

    def be_overtaken(bulk: Bulk, some: Sequence[Ready], *rest: WhileWaiting) -> Comparison:
        found: Comparison = compare(bulk, some, *rest)
        monkeypatch.setattr(engine, "compare", compare)
        with app.app_context():
            import_readings(lines(1, 99, start=1))
        return found

    monkeypatch.setattr(engine, "compare", be_overtaken)

    assert counts(import_readings(lines(*range(4)))) == (2, 1, 1, 0)
    assert stored() == [0, 1, 2, 3]


def test_an_insert_that_meets_something_stored_stores_nothing(app: Flask) -> None:
    key = add_site("S1")
    import_readings(lines(7, start=1))

    with db.engine.connect() as connection, suppress(AlreadyStored), connection.begin():
        hours = [int((START + timedelta(hours=hour)).timestamp()) * 1_000_000 for hour in range(3)]
        bulk_of(connection).insert([(key, hour, 1000) for hour in hours])
        pytest.fail("something was inserted over a stored reading")

    assert stored() == [7]


def test_the_next_batch_is_made_while_a_server_works_on_this_one(app: Flask) -> None:
    key = add_site("S1")
    rows, begun = [(key, 0, 1000)], []

    with db.engine.connect() as connection, connection.begin():
        bulk = bulk_of(connection)
        bulk.insert(rows, lambda: begun.append("insert"))
        assert bulk.compare(rows, lambda: begun.append("compare")) == (1, 1)

    assert begun == (["insert", "compare"] if db.engine.dialect.name == "postgresql" else [])


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_nothing_is_stored_where_the_next_batch_is_interrupted(app: Flask) -> None:
    key = add_site("S1")

    def interrupt() -> None:
        raise KeyboardInterrupt

    for ask in (PostgresqlBulk.insert, PostgresqlBulk.compare):
        with db.engine.connect() as connection:
            with pytest.raises(KeyboardInterrupt), connection.begin():
                ask(PostgresqlBulk(connection, UNSTAMPED), [(key, 0, 1000)], interrupt)
            with connection.begin():
                assert PostgresqlBulk(connection, UNSTAMPED).compare([(key, 0, 1000)]) == (0, 0)


def test_a_site_that_has_gone_is_forgotten(app: Flask) -> None:
    keys = {site_id: add_site(site_id, is_demo=True) for site_id in ("S1", "S2")}
    with db.engine.connect() as connection:
        site_keys = SiteKeys(connection)
        assert site_keys.of(["S1", " S2", "S9", "S1", "S2\t", "\x00"]) == [
            keys["S1"], keys["S2"], None, keys["S1"], keys["S2"], None,
        ]  # fmt: skip
        with write() as session:
            session.execute(delete(Site).where(Site.site_id == "S1"))
        assert site_keys.of(["S1", "S2"]) == [None, keys["S2"]]


def test_a_site_that_comes_during_an_import_is_found(app: Flask) -> None:
    with db.engine.connect() as connection:
        site_keys = SiteKeys(connection)
        assert site_keys.of(["S1"]) == [None]
        key = add_site("S1")
        assert site_keys.of(["S1"]) == [key]


class Stop(Exception):
    """The import was taken over, say."""


def test_an_import_that_is_stopped_leaves_what_it_has_stored(app: Flask) -> None:
    add_site("S1")
    file = BytesIO("\n".join(["site_id,reading_date,reading_value", *lines(*range(12))]).encode())

    def stop(result: ImportResult, _rejected: list[rows.Rejected]) -> None:
        if result.new == 8:
            raise Stop

    with pytest.raises(Stop):
        readings.import_readings(
            rows.from_csv(file, readings.COLUMNS), zone=ZoneInfo("UTC"), now=NOON, progress=stop
        )

    assert gc.isenabled()
    assert stored() == list(range(8))
    assert counts(import_readings(lines(*range(12)))) == (4, 0, 8, 0)
