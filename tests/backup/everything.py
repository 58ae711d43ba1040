"""A database with something in every table, and a look at all of it."""

import gzip
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from pydantic import ValidationError
from sqlalchemy import Table, inspect, select
from sqlalchemy.types import JSON, Boolean, Date, Float, Integer, String

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.detection import run_counts
from jobauto.extensions import db
from jobauto.lab import service as lab
from jobauto.lab.service import NOW, Question
from jobauto.models import Import
from jobauto.models.types import Instant, Kwh
from jobauto.sites import service as sites
from jobauto.storage import backup
from jobauto.storage.soundness import CHOICES, FORMATS, OF_THE_MOMENT, SHAPES
from tests import databases
from tests.fleets import NOON, add_one_fault_of_each_rule
from tests.people import PASSWORD, Browser, Person, add_cast

Rows = dict[str, list[tuple[Any, ...]]]
DOCUMENTS = (
    [["é", "naïve 🌞"]],
    [[1, "naïve 🌞"]],
    ["naïve 🌞"],
    [{"line": 1, "é": "naïve 🌞"}],
    {"é": "naïve 🌞"},
    {"file": {"kind": "naïve 🌞"}, "site": {}},
)


def application(uri: str) -> Flask:
    """An application on a database."""
    app = databases.application(uri)
    app.test_client_class = Browser
    return app


def fill_every_table(app: Flask) -> None:
    """People, a fleet, a run, two jobs, a settings change, a snooze; and a row in whatever else there is.

    The run is counted, and the lab asked of the fleet: by keys with empty texts, or a number that is 0.
    """
    add_cast()
    add_one_fault_of_each_rule()
    assert run_counts.count_waiting(NOON) == 1
    claimed = lab.claim(Question("no_coms", NOW), NOON)
    assert claimed
    lab.work_out(claimed, lambda: NOON)
    ada = Person(app, "ada")
    assert ada.api("PUT", "/api/job-automation/settings/", json={"NO_COMS": {"days_threshold": 5}})
    sites.snooze("flat", NOON.date(), "works", ZoneInfo("Europe/London"), author=Author("ada", NOON))
    sites.wake("flat", author=Author("ada", NOON))
    for table in db.metadata.sorted_tables:
        if db.session.execute(select(table)).first() is None:
            db.session.execute(table.insert(), [_some_row(table)])
    db.session.commit()


def _some_row(table: Table) -> dict[str, Any]:
    return {column.name: _some_value(table, column.name) for column in table.columns}


def _some_value(table: Table, name: str) -> Any:
    column = table.c[name]
    if column.foreign_keys:
        return db.session.scalar(select(next(iter(column.foreign_keys)).column))
    if str(column) in CHOICES:
        return CHOICES[str(column)][-1]  # nothing that a restore ends, such as what waits
    if isinstance(column.type, JSON):
        return next(value for value in DOCUMENTS if _has_shape(value, str(column)))
    if str(column) in FORMATS:
        return "7"
    for kind, value in (
        (Instant, NOON.replace(microsecond=123_456)),
        (Kwh, 1),
        (Boolean, True),
        (Date, NOON.date()),
        (Integer, 7),
        (Float, 0.5),
        (String, "é🌞"),
    ):
        if isinstance(column.type, kind):
            return value
    raise AssertionError(f"what may stand in {column}?")


def _has_shape(document: Any, column: str) -> bool:
    if column not in SHAPES:
        return column.partition(".")[0] in OF_THE_MOMENT
    try:
        SHAPES[column].validate_python(document)
    except ValidationError:
        return False
    return True


def rows_of(uri: str) -> Rows:
    """Every row of every table, in the order of its key."""
    app = application(uri)
    with app.app_context():
        assert set(db.metadata.tables) | {"alembic_version"} <= set(inspect(db.engine).get_table_names())
        with db.engine.connect() as connection:
            rows = {
                table.name: [
                    tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in db.metadata.sorted_tables
            }
        db.engine.dispose()
    return rows


def without_what_was_of_the_moment(rows: Rows) -> Rows:
    """What a restore makes of rows: nobody is logged in, no file waits for a decision, the lab is empty."""
    place = list(Import.__table__.columns.keys()).index("decide_until")
    imports = [(*row[:place], None, *row[place + 1 :]) for row in rows["import"]]
    nothing: Rows = {table: [] for table in ("pending_login", "user_session", "sent_form", "lab_result")}
    return rows | nothing | {"import": imports}


def quiet(_table: str, _rows: int) -> None:
    """Nobody watches."""


def taken() -> bytes:
    """A backup of the database of the test. Needs an app context."""
    target = io.BytesIO()
    backup.back_up(target, quiet)
    return target.getvalue()


def altered(content: bytes, statements: str, folder: Path) -> bytes:
    """A sound backup that says something else."""
    file = folder / "altered.sqlite3"
    file.write_bytes(gzip.decompress(content))
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(statements)
    return gzip.compress(file.read_bytes(), 1)


def put_back(content: bytes, *, replace: bool = False) -> None:
    """Restore at noon. Needs an app context."""
    db.session.remove()
    backup.restore(io.BytesIO(content), quiet, replace=replace, now=NOON)


def goes_on_working(uri: str) -> None:
    """Somebody logs in, and a new fault gets a new job."""
    app = application(uri)
    with app.app_context():
        client = Browser(app, app.response_class)
        page = client.get("/login").text
        token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        form = {"csrf_token": token, "username": "oscar", "password": PASSWORD}
        assert client.post("/login", data=form).status_code == 302
        oscar = Person(app, "oscar")
        site = {"site_id": f"new-{utcnow().timestamp()}", "site_name": "New"}
        assert oscar.api("POST", "/api/sites/", json=site).json["new"] == 1
        assert oscar.api("POST", "/api/job-automation/run-manual/").json["created_jobs"] >= 1
        db.session.remove()
        db.engine.dispose()
