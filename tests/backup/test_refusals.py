"""What cannot be restored is refused in a sentence, and nothing is changed."""

import fcntl
import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from jobauto.cli.backup import DRAFT
from jobauto.extensions import db
from jobauto.storage import backup
from jobauto.storage.connections import DatabaseNotReady
from jobauto.storage.sent_backup import BackupError
from tests.backup.everything import (
    Rows,
    altered,
    fill_every_table,
    put_back,
    rows_of,
    taken,
    without_what_was_of_the_moment,
)
from tests.fleets import NOON


@pytest.fixture
def before(app: Flask, database_uri: str) -> Rows:
    """What the database holds; each test of this file ends with just that in it."""
    fill_every_table(app)
    return rows_of(database_uri)


def cut(content: bytes, _folder: Path) -> bytes:
    return content[: len(content) // 2]


def with_wrong_bytes(content: bytes, _folder: Path) -> bytes:
    # Not one alone: among many zeros it may stand for the same content, and then nothing is lost.
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


def with_a_wrong_checksum(content: bytes, _folder: Path) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def no_database(_content: bytes, _folder: Path) -> bytes:
    return gzip.compress(b"site_id,site_name\n" * 1000)


def not_packed(_content: bytes, _folder: Path) -> bytes:
    return b"site_id,site_name\n"


def nothing(_content: bytes, _folder: Path) -> bytes:
    return b""


def of_another_program(_content: bytes, folder: Path) -> bytes:
    (folder / "other.sqlite3").touch()
    return altered(gzip.compress(b""), "CREATE TABLE tulip (colour TEXT)", folder)


def newer(content: bytes, folder: Path) -> bytes:
    return altered(content, "UPDATE alembic_version SET version_num = '9999'", folder)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (cut, "cut short"),
        (with_wrong_bytes, "damaged"),
        (with_a_wrong_checksum, "damaged"),
        (no_database, "no sound backup"),
        (not_packed, "no backup"),
        (nothing, "no sound backup"),
        (of_another_program, "no sound backup"),
        (newer, "newer"),
    ],
)
def test_a_file_that_is_not_a_whole_backup_of_this_program_or_an_older_one(
    before: Rows, database_uri: str, tmp_path: Path, spoil: Callable[[bytes, Path], bytes], why: str
) -> None:
    content = spoil(taken(), tmp_path)
    with pytest.raises(BackupError, match=why):
        put_back(content, replace=True)
    assert rows_of(database_uri) == before


def test_a_database_that_holds_something_unless_it_is_to_be_replaced(
    before: Rows, app: Flask, database_uri: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "jobauto.backup")
    cli = app.test_cli_runner().invoke
    assert cli(args=["backup", file]).exit_code == 0
    db.session.execute(text("UPDATE site SET site_name = 'changed since'"))
    db.session.commit()
    refused = cli(args=["restore", file])
    assert (refused.exit_code, "not empty" in refused.stderr) == (2, True)
    assert rows_of(database_uri) != before
    assert cli(args=["restore", "--replace", file]).exit_code == 0
    assert rows_of(database_uri) == without_what_was_of_the_moment(before)


def test_a_database_of_a_newer_program(before: Rows, database_uri: str) -> None:
    content = taken()
    newest = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    set_version = text("UPDATE alembic_version SET version_num = :version")
    db.session.execute(set_version, {"version": "9999"})
    db.session.commit()
    with pytest.raises(DatabaseNotReady, match="newer"):
        put_back(content, replace=True)
    db.session.execute(set_version, {"version": newest})
    db.session.commit()
    assert rows_of(database_uri) == before


def test_a_failure_half_way_changes_nothing(before: Rows, database_uri: str) -> None:
    content = taken()
    asked = []

    def fail(_table: str, rows: int) -> None:
        asked.append(rows)
        if len(asked) == 4:
            raise OSError("the plug is pulled")

    with pytest.raises(OSError, match="plug"):
        backup.restore(io.BytesIO(content), fail, replace=True, now=NOON)
    assert rows_of(database_uri) == before


def test_a_backup_that_fails_leaves_the_old_file_and_no_other(
    before: Rows, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    file = folder / "jobauto.backup"
    file.write_text("of yesterday")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    done = app.test_cli_runner().invoke(args=["backup", str(file)])
    assert (done.exit_code, "No space left" in done.stderr) == (1, True)
    assert [path.name for path in folder.iterdir()] == [file.name]
    assert file.read_text() == "of yesterday"
    assert not list(tmp_path.glob("backup-*")), "no scratch file either"


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(os.mkfifo, id="a pipe, as a device such as null would be"),
        pytest.param(lambda place: place.symlink_to("elsewhere"), id="a link, as stdout is one"),
    ],
)
def test_a_backup_takes_the_place_of_a_file_and_of_nothing_else(
    app: Flask, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    place = tmp_path / "place"
    make(place)
    before = place.lstat()
    done = app.test_cli_runner().invoke(args=["backup", str(place)])
    assert (done.exit_code, "is no file" in done.stderr) == (2, True)
    assert place.lstat().st_ino == before.st_ino


def test_what_a_killed_backup_left_goes_with_the_next_one_but_not_what_is_being_written(
    app: Flask, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    left, written = folder / f"{DRAFT}left", folder / f"{DRAFT}written"
    left.write_text("half of all data")
    pipe = folder / f"{DRAFT}pipe"  # of whoever else may write there
    os.mkfifo(pipe)
    with written.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = app.test_cli_runner().invoke(args=["backup", str(folder / "of-today")])
    assert done.exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"of-today", written.name}
