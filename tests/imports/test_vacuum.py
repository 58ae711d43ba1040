"""After an import PostgreSQL looks at what is new; whatever comes of that, the import has succeeded."""

import io
import logging
import threading
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.extensions import db
from jobauto.imports import background, readings
from jobauto.storage import partitions, vacuum
from jobauto.work import threads
from tests.databases import PARTITIONED, POSTGRESQL
from tests.fleets import NOON, add_site
from tests.imports.importing import counts as counted
from tests.imports.importing import import_readings
from tests.imports.test_background import GOOD, HEADER, accept, counts
from tests.people import Person


@pytest.fixture(autouse=True)
def _one_row_is_worth_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum, "WORTH_IT", 1)  # for imports; the tick wants a thousand
    add_site("S1")


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition is gone when VACUUM comes to it."""
    monkeypatch.setattr(partitions, "is_partitioned", lambda _connection: True)
    monkeypatch.setattr(partitions, "keep_ahead", lambda _connection, _now: [])
    monkeypatch.setattr(partitions, "changed", lambda _connection: ["reading_2000_01"])


@pytest.mark.usefixtures("dropped")
def test_a_partition_dropped_meanwhile_does_not_fail_the_import(caplog: pytest.LogCaptureFixture) -> None:
    import_id = accept(HEADER + GOOD)

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 0)
    assert said(caplog) == (db.engine.dialect.name == "postgresql")


@pytest.mark.usefixtures("dropped")
def test_nor_one_from_the_command_line(caplog: pytest.LogCaptureFixture) -> None:
    assert counted(import_readings(["S1,2026-03-31T06:00Z,1"])) == (1, 0, 0, 0)
    assert said(caplog) == (db.engine.dialect.name == "postgresql")


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_import_is_finished_before_a_vacuum_that_may_take_minutes(
    monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    import_id = accept(HEADER + GOOD, dry_run=dry_run)
    seen: list[object] = []
    monkeypatch.setattr(vacuum, "vacuum_analyze", lambda: seen.append(counts(import_id)))

    background.process_pending()

    has_a_planner = db.engine.dialect.name == "postgresql" and not dry_run
    assert seen == ([("finished", 1, 0, 0, 0)] if has_a_planner else [])


ANOTHER_VACUUM = "LOCK TABLE reading IN SHARE UPDATE EXCLUSIVE MODE"


@pytest.mark.parametrize("engine", [POSTGRESQL, PARTITIONED], indirect=True)
def test_the_api_answers_while_somebody_else_vacuums(oscar: Person) -> None:
    answers: list[int] = []

    def post() -> None:
        body = [{"site_id": "S1", "reading_date": "2026-03-31T06:00Z", "reading_value": 1}]
        answers.append(oscar.api("POST", "/api/readings/", json=body).status_code)

    thread = threading.Thread(target=post, daemon=True)
    with db.engine.connect() as other, other.begin():
        other.execute(text(ANOTHER_VACUUM))
        thread.start()
        thread.join(20)
        assert answers == [200]


@pytest.mark.parametrize("engine", [POSTGRESQL, PARTITIONED], indirect=True)
def test_the_tick_vacuums_what_has_changed_and_not_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    readings.store_readings(
        readings.from_csv(io.BytesIO(HEADER + many(1200))), zone=ZoneInfo("UTC"), now=NOON
    )
    counted_by_the_server()
    assert vacuumed() == 0

    for _ in range(2):
        vacuum.vacuum_changed()
        counted_by_the_server()
    assert vacuumed() == 1
    assert sum("event=vacuum" in record.getMessage() for record in caplog.records) == 1

    readings.store_readings(
        readings.from_csv(io.BytesIO(HEADER + many(2400))), zone=ZoneInfo("UTC"), now=NOON
    )
    counted_by_the_server()
    vacuum.vacuum_changed()
    assert vacuumed() == 1, "five minutes have not passed"


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_a_tick_does_not_wait_for_another_vacuum() -> None:
    readings.store_readings(
        readings.from_csv(io.BytesIO(HEADER + many(1200))), zone=ZoneInfo("UTC"), now=NOON
    )
    counted_by_the_server()
    with db.engine.connect() as other, other.begin():
        other.execute(text(ANOTHER_VACUUM))
        thread = threads.start(vacuum.vacuum_changed, "vacuum")
        thread.join(20)
        assert not thread.is_alive()


def many(count: int) -> bytes:
    """Lines of as many seconds."""
    return b"".join(
        b"S1,2026-03-31T%02d:%02d:%02dZ,%d\n" % (s // 3600, s // 60 % 60, s % 60, s) for s in range(count)
    )


def counted_by_the_server() -> None:
    """Its statistics know of everything that the connections of the pool have done."""
    with db.engine.connect() as one, db.engine.connect() as other:
        for connection in (one, other):
            connection.execute(text("SELECT pg_stat_force_next_flush()"))
            connection.commit()


def vacuumed() -> int:
    """How often the tables of readings were."""
    counted = text("SELECT sum(vacuum_count) FROM pg_stat_user_tables WHERE relname ~ '^reading[_0-9]*$'")
    with db.engine.connect() as connection:
        return int(connection.scalar(counted))


def said(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log tells that VACUUM failed, and no traceback."""
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return ["event=vacuum-failed" in record.getMessage() for record in warnings] == [True]
