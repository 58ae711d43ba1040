"""A backup of an older schema is brought up to the newest on its way back."""

# ruff: noqa: S608 (statements of our own)

import gzip
import io
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy import create_engine, select

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.storage import backup
from jobauto.storage.connections import MIGRATIONS, require_ready
from jobauto.storage.sent_backup import BackupError
from tests.backup.everything import altered, put_back, quiet
from tests.fleets import NOON
from tests.memory import at_most

FORTY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40)"
LONG = "printf('%.*c', 1000000, 'x')"


@pytest.fixture
def of_the_first_schema(app: Flask, tmp_path: Path) -> bytes:
    """A backup made by the first version of the program, with one site in it."""
    return _of_schema("0001", "INSERT INTO site (site_id, site_name) VALUES ('S1', 'Mill Lane')", tmp_path)


def _of_schema(revision: str, statements: str, folder: Path) -> bytes:
    file = folder / "older.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(file)) as plain, plain:
        plain.executescript(statements)
    return gzip.compress(file.read_bytes(), 1)


def test_rows_that_its_migrations_stumble_over_are_refused(
    app: Flask, of_the_first_schema: bytes, tmp_path: Path
) -> None:
    stumbling = """
        UPDATE settings_version SET document = '{"NO_COMS": 5}';
        INSERT INTO run (trigger, as_of, started_at, heartbeat_at, status, settings_version)
        VALUES ('manual', 0, 0, 0, 'succeeded', 1);
    """
    with pytest.raises(BackupError, match="of an older jobauto"):
        put_back(altered(of_the_first_schema, stumbling, tmp_path), replace=True)
    assert db.session.scalars(select(Site)).all() == []


def test_it_is_brought_up(app: Flask, of_the_first_schema: bytes) -> None:
    contents = backup.restore(io.BytesIO(of_the_first_schema), quiet, replace=False, now=NOON)
    assert contents.revision == "0001"
    require_ready()
    assert list(map(tuple, db.session.execute(select(Site.site_id, Site.site_name)))) == [("S1", "Mill Lane")]


@pytest.mark.parametrize(
    ("revision", "statements"),
    [
        pytest.param(
            "0011",
            f"""
            INSERT INTO run (trigger, as_of, started_at, heartbeat_at, status, settings_version)
            VALUES ('manual', 0, 0, 0, 'succeeded', 1);
            {FORTY} INSERT INTO settings_version (version, document, changed_at, slots_owed_from)
            SELECT i + 1, '{{"NO_COMS": {{"x": "' || {LONG} || '"}}}}', 0, 0 FROM n
            """,
            id="settings",
        ),
        pytest.param(
            "0012",
            f"{FORTY} INSERT INTO event (at, subject, subject_id, field, after) "
            f"SELECT 0, 'job', i, 'note', {LONG} FROM n",
            id="notes on jobs",
        ),
        pytest.param(
            "0012",
            f"{FORTY} INSERT INTO event (at, subject, subject_id, field, after) "
            f"SELECT 0, 'job', 1, 'note', {LONG} FROM n",
            id="notes on a job",
        ),
        pytest.param(
            "0012", f"{FORTY} INSERT INTO site (site_id, site_name) SELECT i, {LONG} FROM n", id="sites"
        ),
        pytest.param(
            "0013",
            f"""
            INSERT INTO run (id, trigger, as_of, started_at, heartbeat_at, status, settings_version)
            VALUES (1, 'manual', 0, 0, 0, 'succeeded', 1);
            {FORTY} INSERT INTO site (key, site_id, site_name) SELECT i, i, i FROM n;
            {FORTY} INSERT INTO job (site_key, rule, job_type, status, priority, description, created_at,
                run_id, duplicate_checked, queue, instructions, touched)
            SELECT i, 'no_coms', 'x', 'open', 'normal', {LONG}, 0, 1, 1, '', '', 0 FROM n
            """,
            id="descriptions of jobs",
        ),
    ],
)
def test_long_texts_of_many_rows_are_not_brought_up_at_once(
    app: Flask, tmp_path: Path, revision: str, statements: str
) -> None:
    content = _of_schema(revision, statements, tmp_path)
    with at_most(30), suppress(BackupError):  # some are longer than people could write them
        put_back(content, replace=True)
