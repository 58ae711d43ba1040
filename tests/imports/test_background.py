"""Imports in the background: accepted, worked off, mended, begun again after a death."""

import io
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, claiming, readings, uploads
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.lines import FileError
from jobauto.imports.rejected_rows import rejected_rows
from jobauto.imports.result import ImportResult
from jobauto.models import Import, Reading
from jobauto.storage.connections import write
from jobauto.work import threads
from jobauto.work.importing import start_imports, start_undo
from tests.databases import await_background
from tests.fleets import NOON, add_site
from tests.processes import PATIENCE

OSCAR = Author("oscar", NOON)
HEADER = b"site_id,reading_date,reading_value\n"
GOOD = b"S1,2026-03-31T06:00Z,1\n"


def accept(content: bytes, kind: str = "readings", *, dry_run: bool = False) -> int:
    """Send a file."""
    return background.accept(kind, "a file.csv", io.BytesIO(content), dry_run=dry_run, author=OSCAR)


def entry(import_id: int) -> Import:
    """The import as it is stored."""
    db.session.rollback()
    return db.session.get_one(Import, import_id)


def counts(import_id: int) -> tuple[str, int, int, int, int]:
    """Status, new, updated, unchanged, rejected."""
    found = entry(import_id)
    return found.status, found.new, found.updated, found.unchanged, found.rejected


def stored() -> int:
    """How many readings there are."""
    return db.session.scalar(select(func.count()).select_from(Reading)) or 0


def test_a_file_waits_until_somebody_works_it_off(app: Flask) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD)
    assert counts(import_id) == ("queued", 0, 0, 0, 0)

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 0)
    assert (entry(import_id).done, entry(import_id).size) == (len(HEADER + GOOD),) * 2


def test_the_same_file_again_changes_nothing(app: Flask) -> None:
    add_site("S1")
    ids = [accept(HEADER + GOOD), accept(HEADER + GOOD)]

    background.process_pending()

    assert [counts(import_id) for import_id in ids] == [("finished", 1, 0, 0, 0), ("finished", 0, 0, 1, 0)]


def test_a_dry_run_says_what_would_happen_and_stores_nothing(app: Flask) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD + b"S9,2026-03-31T06:00Z,1\n", dry_run=True)

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 1)
    assert stored() == 0


def test_a_file_without_the_header_is_refused_at_once_and_not_kept(app: Flask) -> None:
    with pytest.raises(FileError, match="reading_value"):
        accept(b"site_id,reading_date\n")

    assert db.session.scalars(select(Import)).all() == []
    assert list(uploads.kept("x").parent.iterdir()) == []


def test_the_rejected_rows_come_back_byte_for_byte_to_be_mended(app: Flask) -> None:
    add_site("S1")
    bad = [
        b"S1,31/03/2026 06:00,1\r\n",
        b"S\xff,2026-03-31T06:00Z,1\n",
        b'S1,"open,2\n',
        b"S1,2026-03-31T07:00Z,1,5",
    ]
    import_id = accept(b"\xef\xbb\xbf" + HEADER + bad[0] + GOOD + bad[1] + b"\n" + bad[2] + bad[3])

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 4)
    assert [line for line, _ in entry(import_id).errors] == [2, 4, 6, 7]
    mended = list(rejected_rows(uploads.kept(entry(import_id).kept_as)))
    assert mended == [HEADER, *bad[:3], bad[3] + b"\n"]


def test_a_row_that_a_much_later_one_contradicts_comes_back_in_its_place(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 2)
    add_site("S1")
    rows = [b"S1,2026-03-30T06:00Z,%d\n" % value for value in (1, 0)]
    others = [b"S1,31/03/2026,1\n", GOOD]
    import_id = accept(HEADER + rows[0] + others[0] + others[1] + rows[1])

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 3)
    assert list(rejected_rows(uploads.kept(entry(import_id).kept_as))) == [
        HEADER,
        rows[0],
        others[0],
        rows[1],
    ]


@pytest.mark.parametrize(
    "ago",
    [
        pytest.param(claiming.STALE_AFTER + timedelta(seconds=1), id="some minutes ago"),
        pytest.param(timedelta(days=-1), id="by a clock that was set back since"),
    ],
)
def test_an_import_whose_process_died_is_begun_again_by_another(app: Flask, ago: timedelta) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(status="running", heartbeat_at=utcnow() - ago, attempts=1))

    background.process_pending()

    assert counts(import_id) == ("finished", 1, 0, 0, 0)
    assert entry(import_id).attempts == 2


@pytest.mark.parametrize(
    ("late", "told"),
    [
        pytest.param(False, ("running", 0, 0, 0, 0), id="before it has told of what it stored"),
        pytest.param(True, ("running", 1, 0, 0, 0), id="before it has told of its end"),
    ],
)
def test_an_import_that_was_taken_over_is_no_longer_told_of_by_who_had_it(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    late: bool,
    told: tuple[str, int, int, int, int],
) -> None:
    add_site("S1")
    import_id = accept(HEADER + GOOD)
    store = readings.store_readings

    def taken_over(*arguments: Any, **options: Any) -> ImportResult:
        stored = store(*arguments, **options) if late else None
        with write() as session:
            session.execute(update(Import).values(heartbeat_at=utcnow(), attempts=2))
        return stored or store(*arguments, **options)

    monkeypatch.setattr(readings, "store_readings", taken_over)
    background.process_pending()

    assert (counts(import_id), entry(import_id).finished_at) == (told, None)
    assert "event=import-taken-over" in caplog.text


def test_one_that_was_taken_over_before_it_told_of_its_failure_stops_no_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_site("S1")
    first, second = accept(HEADER + GOOD), accept(HEADER + GOOD)
    store = readings.store_readings

    def breaks_once(*arguments: Any, **options: Any) -> ImportResult:
        monkeypatch.setattr(readings, "store_readings", store)
        with write() as session:
            session.execute(
                update(Import).where(Import.id == first).values(heartbeat_at=utcnow(), attempts=2)
            )
        raise FileError("it is broken")

    monkeypatch.setattr(readings, "store_readings", breaks_once)
    background.process_pending()

    assert counts(first)[0] == "running"
    assert counts(second) == ("finished", 1, 0, 0, 0)


def test_an_import_that_somebody_is_at_is_left_alone(app: Flask) -> None:
    import_id = accept(HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(status="running", heartbeat_at=utcnow(), attempts=1))

    background.process_pending()

    assert counts(import_id)[0] == "running"


def test_a_file_that_kills_its_process_again_and_again_is_given_up(app: Flask) -> None:
    import_id = accept(HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(attempts=background.ATTEMPTS))

    background.process_pending()

    assert counts(import_id)[0] == "failed"
    assert "died" in (entry(import_id).error or "")


def test_several_at_once_work_each_file_off_exactly_once(app: Flask) -> None:
    add_site("S1")
    ids = [accept(HEADER + f"S1,2026-03-{day:02}T06:00Z,{day}\n".encode()) for day in range(1, 9)]
    workers = [threads.start(background.process_pending, "imports") for _ in range(4)]
    for worker in workers:
        worker.join(60)

    assert not any(worker.is_alive() for worker in workers)
    assert [counts(import_id) for import_id in ids] == [("finished", 1, 0, 0, 0)] * 8
    assert [entry(import_id).attempts for import_id in ids] == [1] * 8


@pytest.mark.any_engine
@pytest.mark.parametrize("start", [lambda _: start_imports(), start_undo])
def test_however_many_are_begun_they_take_one_thread_of_a_process(
    app: Flask, start: Callable[[int], None]
) -> None:
    import_id, may_go_on = accept(HEADER + GOOD), threading.Event()

    def hold(*_: object) -> None:
        if threading.current_thread().name == "imports":
            may_go_on.wait(PATIENCE)

    event.listen(db.engine, "before_cursor_execute", hold)
    for _ in range(3):
        start(import_id)
    at_work = [thread.name for thread in threading.enumerate()].count("imports")
    may_go_on.set()
    await_background()
    event.remove(db.engine, "before_cursor_execute", hold)
    assert at_work == 1
