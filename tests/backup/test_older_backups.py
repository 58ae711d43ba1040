"""A backup of an older schema is brought up to the newest on its way back."""

import gzip
import io
import sqlite3
from contextlib import closing
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


@pytest.fixture
def of_the_first_schema(app: Flask, tmp_path: Path) -> bytes:
    """A backup made by the first version of the program, with one site in it."""
    file = tmp_path / "first.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(file)) as plain, plain:
        plain.execute("INSERT INTO site (site_id, site_name) VALUES ('S1', 'Mill Lane')")
    return gzip.compress(file.read_bytes())


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
