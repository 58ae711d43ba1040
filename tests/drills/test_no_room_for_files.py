"""The disk for files that were sent is full, and the database has room: the page says which it is."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import Import
from tests.drills.disk import Disk
from tests.people import Person

pytestmark = pytest.mark.process


def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing_behind(
    app: Flask, tmp_path: Path, oscar: Person, disk: Disk
) -> None:
    (tmp_path / "imports").symlink_to(disk.folder)
    lines = b"site_id,site_name\n" + b"".join(b"S%d,A site\n" % number for number in range(20_000))

    disk.fill()
    refused = oscar.post("/import/", kind="sites", file=(BytesIO(lines), "sites.csv"))

    assert refused.status_code == 503
    assert "No space left on device" in refused.text
    assert [file.name for file in disk.folder.iterdir() if file.suffix == ".csv"] == []
    assert db.session.scalars(select(Import)).all() == []
