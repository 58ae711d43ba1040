"""Whatever may be imported has a partition: months are made ahead, by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.imports.readings import WORTH_ANALYSING
from jobauto.storage import partitions
from jobauto.work import scheduler
from tests.fleets import NOON, add_site, daily
from tests.imports.importing import counts, import_readings
from tests.partitions.looking import all_partitions, keep_ahead, partition, partitions_with_rows
from tests.processes import await_until

pytestmark = pytest.mark.postgresql

LATER = NOON + timedelta(days=90)
MADE = ["reading_2026_07", "reading_2026_08", "reading_2026_09"]


def test_from_1900_to_tomorrow_everything_can_be_imported(parts: Flask) -> None:
    add_site("S1")
    lines = ["S1,1900-01-01T00:00Z,1", "S1,2011-07-01T00:00Z,2", "S1,2026-04-01T11:59Z,3"]

    assert counts(import_readings(lines)) == (3, 0, 0, 0)
    assert counts(import_readings(lines)) == (0, 0, 3, 0)
    assert partitions_with_rows() == {"reading_2026_04": 1, "reading_older": 2}


def test_an_import_makes_the_months_that_nobody_made(app: Flask) -> None:
    partition(NOON - timedelta(days=900))
    add_site("S1")

    assert counts(import_readings(["S1,2026-03-31T00:00Z,1"])) == (1, 0, 0, 0)
    assert all_partitions()[-2] == "reading_2026_06"


def test_months_are_made_once(parts: Flask) -> None:
    assert keep_ahead(NOON) == []
    assert keep_ahead(LATER) == ["reading_2026_07", "reading_2026_08", "reading_2026_09"]
    assert keep_ahead(LATER) == []


def test_many_at_once_make_each_month_once(parts: Flask) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(_in_context, [parts] * 8))
    assert sorted(name for names in made for name in names) == MADE
    assert set(MADE) <= set(all_partitions())


def _in_context(app: Flask) -> list[str]:
    with app.app_context():
        return keep_ahead(LATER)


def test_neither_a_long_read_nor_a_long_write_is_waited_for(parts: Flask) -> None:
    add_site("S1", daily([1, 2]))
    with db.engine.begin() as busy:
        busy.execute(text("SELECT * FROM reading"))
        busy.execute(text("UPDATE reading SET reading_value = 7"))
        with db.engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '5s'"))
            connection.commit()
            assert partitions.keep_ahead(connection, LATER) == MADE


def test_a_tick_makes_them(parts: Flask) -> None:
    scheduler.keep_partitions(lambda: LATER)
    assert set(MADE) <= set(all_partitions())


def test_a_plain_table_stays_as_it_is(app: Flask) -> None:
    assert keep_ahead(datetime(2030, 1, 1, tzinfo=UTC)) == []


def test_after_an_import_only_what_may_have_changed_is_vacuumed(parts: Flask) -> None:
    add_site("S1")
    minutes = (NOON - timedelta(minutes=minute) for minute in range(WORTH_ANALYSING))
    import_readings(f"S1,{minute.isoformat()},1" for minute in minutes)

    await_until(lambda: vacuumed() == {"reading_2026_02", "reading_2026_03", "reading_2026_04"}, "a VACUUM")


def vacuumed() -> set[str]:
    with db.engine.connect() as connection:
        query = "SELECT relname FROM pg_stat_all_tables WHERE relname LIKE 'reading%' AND vacuum_count > 0"
        return set(connection.scalars(text(query)))
