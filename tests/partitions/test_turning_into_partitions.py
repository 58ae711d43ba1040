"""``jobauto db partition``: a plain table becomes partitions, and nothing else changes."""

from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from jobauto.extensions import db
from jobauto.models import Reading
from jobauto.storage import partitions
from jobauto.storage.migrating import has_model
from tests.databases import Sqlite, opened
from tests.fleets import NOON, add_site, daily, days_before
from tests.imports.importing import stored_readings
from tests.partitions.looking import all_partitions, partition, partitions_with_rows

pytestmark = pytest.mark.postgresql


def test_the_readings_stay(app: Flask) -> None:
    add_site("S1", daily(range(40)) | {days_before(3000): 1, datetime(1900, 1, 2, tzinfo=UTC): 2})
    before = stored_readings()

    assert partition()
    assert stored_readings() == before
    assert partitions_with_rows() == {
        "reading_2018_01": 1,
        "reading_2026_02": 9,
        "reading_2026_03": 31,
        "reading_older": 1,
    }


def test_an_empty_table_has_two_years_of_months_and_some_ahead(app: Flask) -> None:
    partition()
    assert all_partitions()[0] == "reading_2024_03"
    assert all_partitions()[-2:] == ["reading_2026_06", "reading_older"]
    assert len(all_partitions()) == partitions.BACK + 1 + partitions.AHEAD + 1


def test_readings_from_long_ago_make_ten_years_of_months_at_most(app: Flask) -> None:
    add_site("S1", {datetime(1900, 1, 2, tzinfo=UTC): 2})
    partition()
    assert all_partitions()[0] == "reading_2016_03"


def test_a_month_is_one_of_utc(app: Flask) -> None:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    add_site("S1", {first: 1, first - timedelta(microseconds=1): 2})
    partition()
    assert partitions_with_rows() == {"reading_2026_02": 1, "reading_2026_03": 1}


def test_the_second_time_it_does_nothing(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3]))
    assert partition()
    before = all_partitions()
    assert not partition(NOON + timedelta(days=400))
    assert all_partitions() == before


def test_it_is_all_or_nothing(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3]))
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE reading_2026_06 (in_the_way int)"))

    with pytest.raises(ProgrammingError, match="already exists"):
        partition()
    assert partitions_with_rows() == {"reading": 3}


def test_the_primary_key_is_as_before(app: Flask) -> None:
    key = "SELECT pg_get_indexdef('pk_reading'::regclass)"
    with db.engine.connect() as connection:
        before = connection.scalar(text(key))
    partition()
    with db.engine.connect() as connection:
        assert connection.scalar(text(key)) == before.replace(" ON public.", " ON ONLY public.")


def test_migrations_do_not_take_partitions_for_tables_of_nobody(parts: Flask) -> None:
    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": has_model}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata) == []


def test_the_command_says_what_it_did(app: Flask) -> None:
    add_site("S1", daily([1, 2, 3]))
    runner = app.test_cli_runner()

    first, second = (runner.invoke(args=["db", "partition"]) for _ in range(2))
    assert (first.exit_code, first.output) == (0, "The readings are in partitions now\n")
    assert (second.exit_code, second.output) == (0, "The readings were in partitions already\n")
    assert sorted(db.session.scalars(select(Reading.reading_value))) == [1, 2, 3]


def test_sqlite_is_refused_in_a_sentence(sqlite: Sqlite) -> None:
    with sqlite.fresh() as uri, opened(uri) as app:
        said = app.test_cli_runner().invoke(args=["db", "partition"])
    assert said.exit_code == 2
    assert said.output.endswith(
        "Error: Only PostgreSQL has partitions. On SQLite the table stays as it is.\n"
    )
