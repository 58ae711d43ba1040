"""After an import PostgreSQL looks at what is new; whatever comes of that, the import has succeeded."""

import logging

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.imports import background
from jobauto.storage import partitions, vacuum
from tests.fleets import add_site
from tests.imports.importing import counts as counted
from tests.imports.importing import import_readings
from tests.imports.test_background import GOOD, HEADER, accept, counts


@pytest.fixture(autouse=True)
def _one_row_is_worth_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum, "WORTH_IT", 1)
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


def said(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log tells that VACUUM failed, and no traceback."""
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return ["event=vacuum-failed" in record.getMessage() for record in warnings] == [True]
