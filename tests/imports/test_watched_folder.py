"""The watched folder: what lies there is imported once, and moved with what is to be said of it."""

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.imports import background, canceling, inbox, moving, undo
from jobauto.imports.moving import LATEST, Known, time_of
from jobauto.imports.profiles import service as profiles
from jobauto.models import Import, Reading
from jobauto.storage.connections import write, write_nowait
from tests.backup.everything import put_back, taken
from tests.fleets import NOON, add_site

DOCUMENT: dict[str, Any] = {
    "file": {"kind": "delimited", "delimiter": ";"},
    "header": {"find": ["MPAN", "Date"]},
    "site": {"column": "MPAN"},
    "time": {"columns": ["Date"], "formats": ["%d/%m/%Y %H:%M"]},
    "value": {"columns": ["kWh"]},
}
HEADER = "MPAN;Date;kWh\n"
ADA = Author("ada", NOON)


@pytest.fixture
def feed(app: Flask, tmp_path: Path) -> Path:
    """The folder of a profile called Portal, and a site S1."""
    app.config["INBOX_PATH"] = str(tmp_path / "inbox")
    add_site("S1")
    profiles.save("Portal", DOCUMENT, ADA)
    inbox.look()
    return tmp_path / "inbox" / "Portal"


def later() -> Any:
    """A minute from now, when what lies there now has not changed for as long."""
    return utcnow() + timedelta(seconds=61)


def lay(folder: Path, name: str, *rows: str) -> Path:
    """A file with rows such as ``S1;01/03/2026 06:00;5``."""
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def row(value: object, day: int = 1, site: str = "S1") -> str:
    return f"{site};{day:02}/03/2026 06:00;{value}"


def values() -> list[str]:
    db.session.rollback()
    return [
        str(value)
        for value in db.session.scalars(select(Reading.reading_value).order_by(Reading.reading_date))
    ]


def lying(folder: Path) -> list[str]:
    """All that lies there and in the folders within, by name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_the_program_makes_a_folder_for_each_profile(feed: Path) -> None:
    assert feed.is_dir()


def test_a_file_is_imported_and_moved_when_nobody_has_changed_it_for_a_minute(feed: Path) -> None:
    lay(feed, "a.csv", row(5))
    assert inbox.look() == 0
    assert inbox.look(later) == 1
    assert (values(), lying(feed)) == (["5.00"], ["done/a.csv"])
    entry = db.session.scalars(select(Import)).one()
    assert (entry.way, entry.profile, entry.filename, entry.new) == ("inbox", "Portal", "a.csv", 1)


def test_a_file_that_is_still_written_waits(feed: Path) -> None:
    path = lay(feed, "a.csv", row(5))
    with path.open("a") as file:
        file.write(row(6, 2) + "\n")
    os.utime(path, (later().timestamp() - 59,) * 2)
    assert inbox.look(later) == 0
    assert lying(feed) == ["a.csv"]


def test_a_time_to_come_does_not_keep_a_file_for_ever(feed: Path) -> None:
    path = lay(feed, "a.csv", row(5))
    os.utime(path, (later().timestamp() + 1_000_000,) * 2)
    assert inbox.look(later) == 1


@pytest.mark.parametrize("name", [".a.csv", "a.part", "a.tmp", "a.csv.filepart"])
def test_what_is_not_ready_by_its_name_is_left_alone(feed: Path, name: str) -> None:
    lay(feed, name, row(5))
    assert inbox.look(later) == 0
    assert lying(feed) == [name]


@pytest.mark.parametrize("year", [2150, 2400])
def test_a_file_from_a_far_future_is_imported_and_costs_no_backup(feed: Path, year: int) -> None:
    path = lay(feed, "a.csv", row(5))
    os.utime(path, (datetime(year, 6, 1, tzinfo=UTC).timestamp(),) * 2)
    assert inbox.look(later) == 1
    put_back(taken(), replace=True)
    assert not path.exists()


@pytest.mark.any_engine
def test_a_time_from_before_all_meters_as_few_file_systems_keep_it_costs_no_backup() -> None:
    zero_of_windows = -11_644_473_600 * 10**9
    assert time_of(os.stat_result(range(10), {"st_mtime_ns": zero_of_windows})) == -LATEST


def test_links_are_left_alone_and_so_is_a_folder_that_is_one(feed: Path, tmp_path: Path) -> None:
    (feed / "a.csv").symlink_to(lay(tmp_path, "secret.csv", row(5)))
    os.mkfifo(feed / "pipe.csv")
    assert inbox.look(later) == 0
    (feed / "a.csv").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (feed / "done").symlink_to(elsewhere)
    lay(feed, "b.csv", row(5))
    inbox.look(later)
    assert list(elsewhere.iterdir()) == []
    assert (feed / "b.csv").exists()
    (feed / "done").unlink()
    inbox.look(later)
    assert (feed / "done" / "b.csv").exists()
    assert len(db.session.scalars(select(Import)).all()) == 1


def test_a_file_that_cannot_be_read_as_the_profile_says_is_rejected_and_says_why(feed: Path) -> None:
    (feed / "a.csv").write_text("something else\n")
    inbox.look(later)
    assert lying(feed) == ["rejected/a.csv", "rejected/a.csv.txt"]
    assert (feed / "rejected" / "a.csv.txt").read_text().strip()


def test_rejected_rows_of_a_good_file_stand_beside_it_with_the_reason(feed: Path) -> None:
    lay(feed, "a.csv", row(5), row(6, 2, "S9"), row("x", 3))
    inbox.look(later)
    assert lying(feed) == ["done/a.csv", "done/a.csv.rejected.csv"]
    assert (feed / "done" / "a.csv.rejected.csv").read_text().splitlines() == [
        "MPAN;Date;kWh;why",
        "S9;02/03/2026 06:00;6;unknown site: S9",
        "S1;03/03/2026 06:00;x;reading_value is not a number like 1234.56",
    ]


def test_a_row_whose_field_is_too_long_for_csv_comes_back_as_it_was_and_keeps_no_file_waiting(
    feed: Path,
) -> None:
    long = f"S1;{'x' * 200_000};6"
    lay(feed, "a.csv", row(5), long)
    lay(feed, "b.csv", row(6, 2))
    inbox.look(later)
    assert lying(feed) == ["done/a.csv", "done/a.csv.rejected.csv", "done/b.csv"]
    assert (feed / "done" / "a.csv.rejected.csv").read_text().splitlines()[1].startswith(f"{long};")


def test_a_fault_of_the_program_about_one_file_keeps_no_other_waiting(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = inbox._rejected_rows
    monkeypatch.setattr(
        inbox, "_rejected_rows", lambda entry: told(entry) if entry.filename == "b.csv" else 1 / 0
    )
    lay(feed, "a.csv", row(5))
    lay(feed, "b.csv", row(6, 2))
    inbox.look(later)
    assert lying(feed) == ["a.csv", "done/b.csv"]


def test_a_name_that_is_taken_gets_a_number_before_its_ending(feed: Path) -> None:
    for value in (5, 6, 7):
        lay(feed, "a.csv", row(value))
        assert inbox.look(later) == 1
    assert lying(feed) == ["done/a (2).csv", "done/a (3).csv", "done/a.csv"]
    assert "kWh\nS1;01/03/2026 06:00;5" in (feed / "done" / "a.csv").read_text()
    assert values() == ["7.00"]


def test_a_name_may_be_long_and_any_bytes(feed: Path) -> None:
    long, strange = "x" * 251 + ".csv", os.fsdecode(b"caf\xe9.csv")
    lay(feed, long, row(5), row(1, site="S9"))
    lay(feed, strange, row(6, 2))
    assert inbox.look(later) == 2
    assert values() == ["5.00", "6.00"]
    assert not [path for path in feed.iterdir() if path.is_file()]


def test_a_name_is_taken_too_where_what_is_said_of_the_file_would_have_that_of_another(feed: Path) -> None:
    lay(feed, "a.csv.rejected.csv", row(5))
    inbox.look(later)
    lay(feed, "a.csv", row(6, 2), row(7, site="S9"))
    inbox.look(later)
    assert lying(feed) == ["done/a (2).csv", "done/a (2).csv.rejected.csv", "done/a.csv.rejected.csv"]
    assert "S9" not in (feed / "done" / "a.csv.rejected.csv").read_text()


def test_a_file_that_is_too_large_is_rejected_and_not_even_copied(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copying(*_: Any) -> None:
        raise AssertionError("it is copied")

    monkeypatch.setattr(hashlib, "sha256", copying)
    os.truncate(lay(feed, "a.csv", row(5)), 500_000_001)
    assert inbox.look(later) == 1
    assert lying(feed) == ["rejected/a.csv", "rejected/a.csv.txt"]
    assert (feed / "rejected" / "a.csv.txt").read_text().startswith("It is larger than 500 MB.")


@pytest.mark.parametrize("since", ["nothing", "undone", "profile", "rejected"])
def test_the_same_content_is_not_imported_twice_unless_something_has_changed(feed: Path, since: str) -> None:
    rows = [row(5), *([row(5, site="S9")] if since == "rejected" else [])]
    lay(feed, "a.csv", *rows)
    inbox.look(later)
    if since == "undone":
        undo.undo(1, Author("ada", utcnow()))
    elif since == "profile":
        profiles.save("Portal", DOCUMENT | {"source": "gw"}, ADA)
    lay(feed, "b.csv", *rows)
    assert inbox.look(later) == 1
    assert (feed / "done" / "b.csv").exists()
    assert (feed / "done" / "b.csv.txt").exists() == (since == "nothing")
    assert len(db.session.scalars(select(Import)).all()) == (1 if since == "nothing" else 2)
    if since == "nothing":
        assert "import 1" in (feed / "done" / "b.csv.txt").read_text()


def test_equal_files_of_two_sites_that_their_names_tell_apart_are_both_imported(feed: Path) -> None:
    add_site("S2")
    profiles.save("Portal", DOCUMENT | {"site": {"file_name": "export_{site}.csv"}}, ADA)
    for site in ("S1", "S2"):
        lay(feed, f"export_{site}.csv", row(5))
    assert inbox.look(later) == 2
    assert values() == ["5.00", "5.00"]


def test_nobody_is_asked_about_warnings(feed: Path) -> None:
    lay(feed, "a.csv", *(row(f"1.00{day}", day) for day in range(1, 5)))
    inbox.look(later)
    entry = db.session.scalars(select(Import)).one()
    assert (entry.status, entry.new, len(entry.warnings)) == ("finished", 4, 1)


# -- drills --------------------------------------------------------------------------------------------


SHA256 = hashlib.sha256


class Changing:
    """A digest during which somebody writes to the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._real = SHA256()

    def update(self, chunk: bytes) -> None:
        with self._path.open("a") as file:
            file.write(row(9, 9) + "\n")
        self._real.update(chunk)

    def hexdigest(self) -> str:
        return self._real.hexdigest()


def test_a_file_that_changes_while_it_is_read_is_taken_when_it_has_come_to_rest(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lay(feed, "a.csv", row(5))
    with monkeypatch.context() as patch:
        patch.setattr(hashlib, "sha256", lambda: Changing(path))
        assert inbox.look(later) == 0
    assert (values(), lying(feed)) == ([], ["a.csv"])
    assert inbox.look(later) == 1
    assert values() == ["5.00", "9.00"]


def test_a_file_that_is_replaced_while_it_is_imported_has_its_own_turn(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    process = background.process_pending

    def process_while_another_comes(clock: Any) -> None:
        process(clock)
        if values() == ["5.00"]:
            lay(feed, "a.csv", row(6), row(7, 2))

    monkeypatch.setattr(background, "process_pending", process_while_another_comes)
    assert inbox.look(later) == 2
    assert values() == ["6.00", "7.00"]
    assert lying(feed) == ["done/a.csv"]


def test_without_the_right_to_read_a_file_it_is_rejected_and_says_so(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    really = os.open

    def refusing(path: Any, *given: Any, **named: Any) -> int:
        if path == "a.csv" and not given[0] & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return really(path, *given, **named)

    monkeypatch.setattr(os, "open", refusing)
    assert inbox.look(later) == 1
    assert lying(feed) == ["rejected/a.csv", "rejected/a.csv.txt"]
    assert "Permission denied" in (feed / "rejected" / "a.csv.txt").read_text()


def test_without_the_right_to_the_instance_folder_a_file_stays_where_it_is(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    really = Path.open

    def refusing(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if mode == "wb":
            raise PermissionError(13, "Permission denied")
        return really(path, mode, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        assert inbox.look(later) == 0
    assert lying(feed) == ["a.csv"]


def test_without_the_right_to_the_folder_the_tick_goes_on(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("no folder")
    app.config["INBOX_PATH"] = str(tmp_path / "inbox")
    profiles.save("Portal", DOCUMENT, ADA)
    assert inbox.look(later) == 0


def test_two_processes_that_look_at_once_import_a_file_once(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    queue = inbox._queue
    told: list[int | None] = []

    def queue_after_another(*given: Any) -> Import | None:
        if not told:
            told.append(None)
            told.append(inbox.look(later))
        return queue(*given)

    monkeypatch.setattr(inbox, "_queue", queue_after_another)
    assert (inbox.look(later), told[1]) == (0, 1)
    assert lying(feed) == ["done/a.csv"]
    assert len(db.session.scalars(select(Import)).all()) == 1
    assert [path.suffix for path in (feed.parent.parent / "imports").iterdir()] == []


def test_many_files_are_all_taken_some_at_a_time(feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "AT_ONCE", 7)
    for number in range(1, 29):
        lay(feed, f"{number}.csv", row(number, number))
    assert inbox.look(later) == 28
    assert len(values()) == 28
    assert len(lying(feed)) == 28


FILE_CALLS = ("link", "mkdir", "open", "rename", "rmdir", "stat", "unlink")


class Sender:
    """Lays another file in the place of ``a.csv`` just before a call within the folder, once awake."""

    def __init__(self, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._feed = feed
        self.is_awake = False
        self.calls_left = 0
        for name in FILE_CALLS:
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if self.is_awake and named:
                self.calls_left -= 1
                if self.calls_left == 0:
                    self.is_awake = False
                    (self._feed / "a.csv.part").replace(self._feed / "a.csv")
            return really(*given, **named)

        return call


@pytest.mark.any_engine
@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_takes_the_place_of_another_is_imported_at_whatever_moment_it_does(
    feed: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """Even one of the same size and time, and on a mount without hard links."""
    process = background.process_pending

    def refuse(*_given: Any, **_named: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    def process_then_wake(clock: Any) -> None:
        process(clock)
        sender.is_awake = sender.calls_left > 0

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    sender = Sender(feed, monkeypatch)
    monkeypatch.setattr(background, "process_pending", process_then_wake)
    for step in count(1):
        texts = [lay(feed, name, row(value, step)) for value, name in ((5, "a.csv"), (6, "a.csv.part"))]
        same = texts[0].stat().st_mtime_ns
        os.utime(texts[1], ns=(same, same))
        sender.calls_left = step
        inbox.look(later)
        if (feed / "a.csv.part").exists():
            break
        inbox.look(later)
        assert values() == ["6.00"] * step
        assert [path.name for path in feed.iterdir()] == ["done"]
        done = list((feed / "done").iterdir())
        assert [path.read_text()[-2] for path in done].count("6") == 1
        for path in done:
            path.unlink()
    assert step > 10


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda at: moving._write(at, "a.csv", [b"why"]), id="writing what is said of a file"),
        pytest.param(
            lambda at: moving._check_content(at, "a.csv", Known(0, 0, "0" * 64)), id="reading it once more"
        ),
    ],
)
def test_a_pipe_that_takes_the_place_of_a_file_holds_nobody_up(
    tmp_path: Path, act: Callable[[int], None]
) -> None:
    os.mkfifo(tmp_path / "a.csv")

    def work() -> None:
        with moving.opened_folder(tmp_path.name, str(tmp_path.parent)) as at, suppress(OSError, moving.Gone):
            act(at)

    working = threading.Thread(target=work, daemon=True)
    working.start()
    working.join(5)
    assert not working.is_alive()


def test_a_folder_that_takes_the_place_of_a_file_is_left_alone_and_not_left_open(feed: Path) -> None:
    was = feed / "a.csv"
    was.touch()
    found, stored = was.stat(), profiles.find("Portal")
    was.unlink()
    was.mkdir()
    assert stored is not None
    with moving.opened_folder("Portal", str(feed.parent)) as folder:
        before = set(Path("/proc/self/fd").iterdir())
        assert inbox._take(folder, "a.csv", found, stored, NOON) == 0
        assert set(Path("/proc/self/fd").iterdir()) == before


def test_what_a_process_had_hidden_that_died_comes_back_after_a_while(feed: Path) -> None:
    hidden = feed / ".moving-1"
    hidden.mkdir()
    lay(hidden, "a.csv", row(5))
    lay(feed, "a.csv", row(6, 2))
    assert inbox.look(later) == 1
    assert values() == ["6.00"]
    for _ in range(2):
        inbox.look(lambda: later() + timedelta(minutes=10))
    assert values() == ["5.00", "6.00"]
    assert lying(feed) == ["done/a (2).csv", "done/a.csv"]


def test_nobody_waits_for_the_database_while_a_file_is_moved(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    really = os.mkdir

    def write_then_make(*given: Any, **named: Any) -> None:
        with db.engine.connect() as connection, write_nowait(connection):
            connection.execute(update(Import).values(requested_by="meanwhile"))
        really(*given, **named)

    monkeypatch.setattr(os, "mkdir", write_then_make)
    inbox.look(later)
    assert lying(feed) == ["done/a.csv"]


def test_a_file_is_moved_by_one_process_and_by_another_when_that_one_has_died(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    process = background.process_pending

    def process_while_another_claims_the_move(clock: Any) -> None:
        process(clock)
        with write() as session:
            session.execute(update(Import).values(heartbeat_at=clock()))

    with monkeypatch.context() as patch:
        patch.setattr(background, "process_pending", process_while_another_claims_the_move)
        inbox.look(later)
    inbox.look(later)
    assert lying(feed) == ["a.csv"]
    inbox.look(lambda: later() + timedelta(minutes=3))
    assert (values(), lying(feed)) == (["5.00"], ["done/a.csv"])


def test_a_file_whose_import_was_canceled_is_rejected_says_by_whom_and_may_come_again(
    feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(feed, "a.csv", row(5))
    monkeypatch.setattr(background, "process_pending", lambda _: None)
    inbox.look(later)
    canceling.cancel(db.session.scalars(select(Import.id)).one(), ADA)
    monkeypatch.undo()
    inbox.look(later)
    assert (values(), lying(feed)) == ([], ["rejected/a.csv", "rejected/a.csv.txt"])
    assert (feed / "rejected" / "a.csv.txt").read_text() == "ada has canceled its import.\n"

    lay(feed, "a.csv", row(5))
    inbox.look(later)
    assert values() == ["5.00"]


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        pytest.param(b"MPAN;Date;\xff", "MPAN, Date, \ufffd.", id="no text"),
        pytest.param(b"MPAN;Date;a\0b", "MPAN, Date, a\ufffdb.", id="NUL"),
        pytest.param(b"MPAN;Date;" + b"x" * 100_000, "x…", id="a name of 100,000 characters"),
    ],
)
def test_a_file_that_fails_for_a_name_that_cannot_be_stored_keeps_no_other_waiting(
    feed: Path, header: bytes, shown: str
) -> None:
    (feed / "a.csv").write_bytes(header + b"\n")
    lay(feed, "b.csv", row(5))
    inbox.look(later)
    assert (values(), lying(feed)) == (["5.00"], ["done/b.csv", "rejected/a.csv", "rejected/a.csv.txt"])
    error = db.session.scalars(select(Import.error).where(Import.filename == "a.csv")).one() or ""
    assert error.endswith(shown)
    assert len(error) <= 1000
