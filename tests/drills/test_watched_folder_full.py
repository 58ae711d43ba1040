"""The disk of the instance folder, or of the watched folder, is full: files wait, and nothing is lost."""

from pathlib import Path

import pytest
from flask import Flask

from jobauto.imports import inbox
from jobauto.imports.profiles import service as profiles
from tests.drills.disk import Disk
from tests.fleets import add_site
from tests.imports.test_watched_folder import ADA, DOCUMENT, HEADER, later, lay, lying, row, values

pytestmark = pytest.mark.process


def test_without_room_for_a_copy_a_file_waits(app: Flask, tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "imports").symlink_to(disk.folder)
    app.config["INBOX_PATH"] = str(tmp_path / "inbox")
    add_site("S1")
    profiles.save("Portal", DOCUMENT, ADA)
    inbox.look()
    feed = tmp_path / "inbox" / "Portal"
    (feed / "a.csv").write_text(HEADER + f"{row(5)}\n" * 20_000)

    disk.fill()
    assert inbox.look(later) == 0
    assert lying(feed) == ["a.csv"]
    assert [path.suffix for path in disk.folder.iterdir()] == [""]
    disk.make_room()
    assert inbox.look(later) == 1
    assert (values(), lying(feed)) == (["5.00"], ["done/a.csv"])


def test_without_room_for_what_is_said_of_it_a_file_is_moved_later_and_imported_once(
    app: Flask, tmp_path: Path, disk: Disk
) -> None:
    app.config["INBOX_PATH"] = str(disk.folder / "inbox")
    add_site("S1")
    profiles.save("Portal", DOCUMENT, ADA)
    inbox.look()
    feed = disk.folder / "inbox" / "Portal"
    (feed / "done").mkdir()
    lay(feed, "a.csv", row(5), *(row(6, 2, "S9") for _ in range(9)))

    disk.fill()
    assert inbox.look(later) == 1
    assert (values(), lying(feed)) == (["5.00"], ["a.csv"])
    assert inbox.look(later) == 0
    disk.make_room()
    assert inbox.look(later) == 0
    assert lying(feed) == ["done/a.csv", "done/a.csv.rejected.csv"]
    assert [*(tmp_path / "imports").iterdir()]
