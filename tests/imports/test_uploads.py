"""Files that were sent are deleted when nobody needs them any more; an import whose file is lost fails."""

import io
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, claiming, uploads
from jobauto.imports.lines import FileError
from jobauto.models import Import
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site
from tests.imports.test_background import GOOD, HEADER, OSCAR, accept, counts, entry
from tests.memory import at_most
from tests.notifications.telling import add_message, messages

BAD = b"S9,2026-03-31T06:00Z,1\n"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _site(app: Flask) -> None:
    add_site("S1")


def files() -> set[str]:
    """The names of what is kept."""
    return {path.suffix for path in uploads.kept("x").parent.iterdir()}


def lose(import_id: int, **values: object) -> None:
    """Take the file of an import away, and change its row."""
    uploads.kept(entry(import_id).kept_as).unlink()
    with write() as session:
        session.execute(update(Import).where(Import.id == import_id).values(**values or {"size": 1}))


def test_an_import_whose_file_is_gone_fails_with_a_sentence_and_is_told_of() -> None:
    add_message("json://127.0.0.1:9")
    lost, next_one = accept(HEADER + GOOD), accept(HEADER + GOOD)
    lose(lost)

    background.process_pending()

    assert counts(lost)[0] == "failed"
    assert entry(lost).error == "Its file is not on this machine any more. Send it again."
    assert entry(lost).finished_at is not None
    assert counts(next_one)[0] == "finished"
    assert [message.topic for message in messages()] == [f"import-{lost}-failed"]


def test_one_whose_process_died_and_whose_file_is_gone_fails_too() -> None:
    import_id = accept(HEADER + GOOD)
    long_ago = utcnow() - 2 * claiming.STALE_AFTER
    lose(import_id, status="running", heartbeat_at=long_ago, attempts=1)

    background.process_pending()

    assert counts(import_id)[0] == "failed"


def test_one_whose_file_goes_just_after_it_was_claimed_fails_with_the_same_sentence() -> None:
    import_id = accept(HEADER + GOOD)
    lost = uploads.kept(entry(import_id).kept_as)
    event.listen(db.engine, "commit", lambda _: lost.unlink(missing_ok=True), once=True)

    background.process_pending()

    assert entry(import_id).error == "Its file is not on this machine any more. Send it again."


def test_a_file_is_kept_under_a_random_name_where_no_server_looks(app: Flask) -> None:
    names = set()
    for _ in range(2):
        file = io.BytesIO(HEADER + GOOD)
        hostile = "../../static/page.html"
        import_id = background.accept("readings", hostile, file, dry_run=False, author=OSCAR)
        names.add(entry(import_id).kept_as)
    assert len(names) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)
    assert {path.stem for path in Path(app.instance_path).rglob("*.csv")} == names
    assert not Path(app.instance_path).is_relative_to(str(app.static_folder))


def test_a_name_that_is_no_text_is_kept_as_far_as_it_is_one() -> None:
    name = "x" * 300 + "\0\udcff.csv"
    import_id = background.accept("readings", name, io.BytesIO(HEADER + GOOD), dry_run=False, author=OSCAR)
    assert entry(import_id).filename == "x" * 194 + "\ufffd\ufffd.csv"


def test_no_file_is_kept_for_an_import_that_the_database_does_not_take() -> None:
    nobody = Author("\udcff", NOON)
    with pytest.raises(UnicodeEncodeError):
        background.accept("readings", "a.csv", io.BytesIO(HEADER + GOOD), dry_run=False, author=nobody)
    assert files() == set()


@pytest.mark.parametrize(
    ("kept_on", "after", "status", "error"),
    [
        pytest.param("web-2:/srv", DAY, "queued", None, id="another machine"),
        pytest.param("web-2:/srv", DAY + timedelta(seconds=1), "failed", "Its file is on web-2,", id="a day"),
        pytest.param("", timedelta(0), "queued", None, id="nobody knows where"),
        pytest.param("", 2 * DAY, "failed", "Its file is on another machine,", id="nor after two days"),
    ],
)
def test_a_file_that_is_on_another_machine_is_left_to_it_for_a_day(
    kept_on: str, after: timedelta, status: str, error: str | None
) -> None:
    import_id = accept(HEADER + GOOD)
    lose(import_id, kept_on=kept_on)

    background.process_pending(lambda: NOON + after)

    assert counts(import_id)[0] == status
    assert (entry(import_id).error or "").startswith(error or "")


@pytest.mark.parametrize(
    ("content", "dry_run", "left"),
    [
        pytest.param(GOOD, False, set(), id="taken whole"),
        pytest.param(BAD, True, set(), id="looked at, with nothing to import"),
        pytest.param(GOOD, True, {".csv"}, id="looked at, to be imported yet"),
        pytest.param(GOOD + BAD, True, {".csv", ".rejected"}, id="looked at, with rejected rows"),
        pytest.param(GOOD + BAD, False, {".csv", ".rejected"}, id="rejected rows"),
    ],
)
def test_a_file_is_kept_only_for_its_rejected_rows_or_a_decision(
    content: bytes, dry_run: bool, left: set[str]
) -> None:
    import_id = accept(HEADER + content, dry_run=dry_run)
    assert files() == {".csv"}

    background.process_pending()

    assert counts(import_id)[0] == "finished"
    assert files() == left


def test_rejected_rows_are_kept_for_fourteen_days() -> None:
    import_id = accept(HEADER + BAD)
    background.process_pending()
    ended = entry(import_id).finished_at
    assert ended

    background.process_pending(lambda: ended + 14 * DAY)
    assert files() == {".csv", ".rejected"}
    background.process_pending(lambda: ended + 14 * DAY + timedelta(seconds=1))
    assert files() == set()


def test_what_waits_is_never_deleted_and_what_no_import_knows_is_when_it_is_old() -> None:
    import_id = accept(HEADER + GOOD)
    for name in ("old", "new"):
        uploads.kept(name).write_text("of a database that was replaced")
    long_ago = (utcnow() - 15 * DAY).timestamp()
    os.utime(uploads.kept("old"), (long_ago, long_ago))
    os.utime(uploads.kept(entry(import_id).kept_as), (long_ago, long_ago))

    uploads.delete_old(utcnow())

    assert not uploads.kept("old").exists()
    assert uploads.kept("new").exists()
    assert uploads.kept(entry(import_id).kept_as).exists()


def test_the_imports_of_more_files_are_found_than_a_statement_has_parameters() -> None:
    kept_as = entry(accept(HEADER + GOOD)).kept_as
    found = uploads.imports_of([kept_as, *map(str, range(70_000))])
    assert [one.kept_as for one in found] == [kept_as]


def test_what_was_wrong_with_many_kept_files_is_not_read_at_each_tick() -> None:
    """Of 2,000 files with a thousand rejected rows each it took 490 MB, in each process."""
    import_id = accept(HEADER + BAD)
    background.process_pending()
    lose(import_id, errors=[[line, "is not a number" * 200] for line in range(1000)])
    with at_most(2):
        uploads.delete_old(utcnow())


def test_what_was_wrong_with_many_decided_files_is_not_read_by_whoever_looks_for_the_next_one() -> None:
    """Of 2,000 files with a thousand rejected rows each it took as much, before each of them."""
    of_another = [[line, "is not a number" * 200] for line in range(1000)]
    lose(accept(HEADER + GOOD), kept_on="elsewhere:instance", errors=of_another)
    with at_most(2):
        assert claiming.claim(NOON) is None


def test_files_that_a_process_left_behind_when_it_died_are_deleted_by_the_next_tick() -> None:
    import_id = accept(HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(status="finished", finished_at=utcnow()))

    background.process_pending()

    assert not uploads.kept(entry(import_id).kept_as).exists()


def test_the_folder_is_bounded_and_the_oldest_files_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = [accept(HEADER + BAD), accept(HEADER + BAD)]
    background.process_pending()
    monkeypatch.setattr(uploads, "KEPT_BYTES", 3 * len(HEADER + BAD))

    waiting = accept(HEADER + GOOD)

    assert [uploads.kept(entry(import_id).kept_as).exists() for import_id in (*ended, waiting)] == [
        False,
        True,
        True,
    ]


def test_a_file_is_refused_where_those_that_wait_leave_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "KEPT_BYTES", 2 * len(HEADER + GOOD))
    ids = [accept(HEADER + GOOD), accept(HEADER + GOOD)]

    with pytest.raises(FileError, match="Too many files wait"):
        accept(HEADER + GOOD)

    background.process_pending()
    assert [counts(import_id)[0] for import_id in ids] == ["finished", "finished"]
    assert files() == set()


def test_no_file_goes_for_one_that_would_have_no_room_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = accept(HEADER + BAD)
    background.process_pending()
    monkeypatch.setattr(uploads, "KEPT_BYTES", len(HEADER + GOOD) - 1)

    with pytest.raises(FileError, match="Too many files wait"):
        accept(HEADER + GOOD)

    assert uploads.kept(entry(ended).kept_as).exists()
