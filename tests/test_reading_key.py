"""The key of readings that a former version made is made anew, on PostgreSQL, while everything goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jobauto.extensions import db
from jobauto.storage import reading_key
from jobauto.work.scheduler import renew_reading_key
from tests.databases import PARTITIONED, POSTGRESQL, Changed, Postgresql, opened
from tests.fleets import NOON, add_site, daily, days_before
from tests.migrating import downgrade, upgrade
from tests.partitions.looking import all_partitions, keep_ahead, partitions_with_rows
from tests.processes import await_until
from tests.racing import is_anybody_waiting

pytestmark = pytest.mark.postgresql
FORMER = "0023"
INDEXES = """
SELECT conname, pg_get_indexdef(indexrelid)
FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'p'
WHERE indrelid = 'reading'::regclass OR indrelid IN
    (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'reading'::regclass)
ORDER BY 1
"""
INSERT = "INSERT INTO reading (site_key, reading_date, reading_value) SELECT min(key), :at, 5000 FROM site"


@pytest.fixture(params=[POSTGRESQL, PARTITIONED])
def engine(request: pytest.FixtureRequest) -> Postgresql | Changed:
    """PostgreSQL, with one table of readings and with many."""
    kind: Postgresql | Changed = request.getfixturevalue(request.param)
    return kind


@pytest.fixture
def upgraded(engine: Postgresql | Changed) -> Iterator[Flask]:
    """A database that the former version made, with readings."""
    with engine.fresh() as uri, opened(uri) as app:
        add_site("S1", daily([1, 2, 3]))
        downgrade(FORMER)
        upgrade()
        yield app


def indexes() -> list[tuple[str | None, str]]:
    """All indexes of readings: of which constraint each is, and what it is."""
    with db.engine.connect() as connection:
        return [(name, definition) for name, definition in connection.execute(text(INDEXES))]


def file_of(index: str) -> int | None:
    """Another one where the index was made again."""
    with db.engine.connect() as connection:
        file = text("SELECT relfilenode FROM pg_class WHERE oid = to_regclass(:index)")
        found: int | None = connection.scalar(file, {"index": index})
        return found


def test_it_becomes_what_a_new_database_has(upgraded: Flask, engine: Postgresql | Changed) -> None:
    before = indexes()

    renew_reading_key()

    after = indexes()
    assert len(after) == len(before)
    with engine.fresh() as uri, opened(uri):
        assert (after, before != after) == (indexes(), True)
    assert not reading_key.renew()


def somebody_waits() -> bool:
    with db.engine.connect() as connection:  # and no transaction is left open, for which it would wait, too
        return is_anybody_waiting(connection)


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "begun"])
def test_what_was_finished_before_an_interruption_stays_and_what_was_begun_is_made_again(
    upgraded: Flask, finished: bool
) -> None:
    (table, *_) = all_partitions() or ["reading"]
    made, key = f"{table}_made_anew", "pk_reading" if table == "reading" else f"{table}_pkey"
    columns = "(site_key, reading_date) INCLUDE (reading_value, quality, meter)"
    with db.engine.begin() as connection:
        connection.execute(text(f"CREATE UNIQUE INDEX {made} ON {table} {columns}"))
        valid = text("UPDATE pg_index SET indisvalid = :is WHERE indexrelid = to_regclass(:index)")
        connection.execute(valid, {"is": finished, "index": made})
    before = file_of(made)

    assert reading_key.renew()

    assert (file_of(key) == before) is finished


def test_nobody_waits_while_it_is_made(upgraded: Flask) -> None:
    def renew() -> bool:
        with upgraded.app_context():
            return reading_key.renew()

    with db.engine.connect() as importing, ThreadPoolExecutor(1) as pool:
        importing.execute(text(INSERT), {"at": days_before(3)})
        renewing = pool.submit(renew)
        await_until(somebody_waits, "it waits for the import")

        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            connection.execute(text(INSERT), {"at": days_before(4)})

        importing.commit()
        assert renewing.result()
    assert sum(partitions_with_rows().values()) == 5


def test_it_gives_up_where_somebody_reads_for_long_and_does_it_another_time(
    upgraded: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_key, "PATIENCE", "50ms")
    with db.engine.connect() as reader:
        reader.execute(text("SELECT * FROM reading"))  # its transaction goes on
        with pytest.raises(OperationalError, match="lock timeout"):
            reading_key.renew()
        keep_ahead(NOON.replace(year=2028))  # and months are made meanwhile

    assert reading_key.renew()
    assert {definition.partition(" INCLUDE ")[2] for _, definition in indexes()} == {
        "(reading_value, quality, meter)"
    }
