"""What one test leaves behind does not reach the next, and no test does what it does not say."""

import subprocess

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.databases import Postgresql, partition_readings

NEW_SITE = """
INSERT INTO site (site_id, site_name, active, is_demo) VALUES ('S1', '', true, false) RETURNING key
"""
TEMPLATES = {"plain": lambda: None, "partitioned": partition_readings}
CHANGES = {
    "a table": "CREATE TABLE more (id int)",
    "a column": "ALTER TABLE site ADD more text",
    "a column's default": "ALTER TABLE site ALTER site_name SET DEFAULT ''",
    "an index": "CREATE INDEX more ON site (site_name)",
    "a constraint": "ALTER TABLE site ADD CONSTRAINT more CHECK (key > 0)",
    "a function": "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "no table": "DROP TABLE api_token",
    "many rows": "INSERT INTO reading SELECT n, now(), 1 FROM generate_series(1, 60000) AS n",
    "statistics": "ANALYZE site",
}


def engine(uri: str) -> Engine:
    return create_engine(uri, isolation_level="AUTOCOMMIT")


def content(uri: str) -> list[object]:
    """The rows that the migrations make, and the key of a new site."""
    made = engine(uri)
    with made.connect() as connection:
        rows = [
            *connection.execute(text("SELECT to_json(s)::text FROM settings_version AS s")),
            *connection.execute(text("SELECT version_num FROM alembic_version")),
        ]
        assert connection.scalar(text("SELECT count(*) FROM site")) == 0
        key = connection.scalar(text(NEW_SITE))
    made.dispose()
    return [*rows, key]


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_database_that_is_given_back_is_lent_again_as_it_was(postgresql: Postgresql, kind: str) -> None:
    source = postgresql.changed(f"again_{kind}", TEMPLATES[kind])  # new: no earlier test has made it grow
    with source.fresh() as first:
        before = content(first)
        left_open = engine(first).connect()
        left_open.execute(text("BEGIN; UPDATE settings_version SET document = '{\"a\": 1}'"))
    with source.fresh() as second:
        assert second == first
        assert content(second) == before
    left_open.invalidate()


@pytest.mark.postgresql
@pytest.mark.parametrize("change", CHANGES)
def test_a_database_with_more_than_other_rows_is_not_lent_again(postgresql: Postgresql, change: str) -> None:
    with postgresql.fresh() as changed:
        made = engine(changed)
        with made.connect() as connection:
            connection.execute(text(CHANGES[change]))
        made.dispose()
    with postgresql.fresh() as other:
        assert other != changed


def test_a_test_without_the_marker_starts_no_process() -> None:
    with pytest.raises(AssertionError, match="process"):
        subprocess.run(["true"], check=True)
