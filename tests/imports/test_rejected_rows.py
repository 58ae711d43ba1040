"""The rejected rows of an import through a profile are a file that the same profile can read."""

import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.imports import background, readings, uploads
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.profiles import service as profiles
from jobauto.imports.rejected_rows import rejected_rows, with_reasons
from jobauto.models import Import, Reading
from tests.fleets import add_site
from tests.imports.test_background import OSCAR
from tests.people import Person

DOCUMENT: dict[str, Any] = {
    "file": {"kind": "delimited", "delimiter": ";"},
    "header": {"find": ["Zähler", "Datum"], "units_rows": 1},
    "site": {"column": "Zähler"},
    "time": {"columns": ["Datum"], "formats": ["%d/%m/%Y %H:%M"]},
    "value": {"columns": ["kWh"]},
}
TEXT = """Zähler, Datum: alle; Süd
# Zähler;Datum;kWh
Zähler; "Datum"; Größe;kWh

# von;bis
;;m²;kWh
S1;01/03/2026 06:00;5;1
Süd;01/03/2026 06:00; "5;5";2
# 8;9
Süd;01/03/2026 07:00;5;3
S1;01/03/2026 08:00;5;4
"""


@pytest.fixture(autouse=True)
def _site(app: Flask) -> None:
    add_site("S1")


def imported(document: dict[str, Any], content: bytes) -> Import:
    """Import a file by a profile, and return what came of it."""
    profiles.save("Portal", document, OSCAR)
    portal = profiles.get("Portal")
    import_id = background.accept(
        "readings", "a.csv", io.BytesIO(content), dry_run=False, author=OSCAR, profile=portal
    )
    background.process_pending()
    entry = db.session.get_one(Import, import_id)
    assert entry.status == "finished", entry.error
    return entry


def rejected(entry: Import) -> bytes:
    profile = profiles.of_version("Portal", entry.profile_version)
    return b"".join(with_reasons(uploads.kept(entry.kept_as), profile))


def values() -> list[str]:
    db.session.rollback()
    found = db.session.scalars(select(Reading.reading_value).order_by(Reading.reading_value))
    return [str(value) for value in found]


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16"])
def test_they_have_the_rows_below_the_header_and_the_encoding_of_the_file(encoding: str) -> None:
    document = DOCUMENT | {"file": DOCUMENT["file"] | {"encoding": encoding, "comment": "#"}}
    first = imported(document, TEXT.encode(encoding))
    assert (first.new, first.rejected) == (2, 2)
    again = rejected(first)
    assert list(csv.reader(again.decode(encoding).splitlines(), delimiter=";")) == [
        ["Zähler", "Datum", "Größe", "kWh", "why"],
        ["", "", "m²", "kWh", ""],
        ["Süd", "01/03/2026 06:00", "5;5", "2", "unknown site: Süd"],
        ["Süd", "01/03/2026 07:00", "5", "3", "unknown site: Süd"],
    ]

    add_site("Süd")
    second = imported(document, again)
    assert (second.new, second.rejected) == (2, 0)
    assert values() == ["1.00", "2.00", "3.00", "4.00"]


def test_without_a_header_the_reason_stands_behind_the_columns_that_are_looked_at() -> None:
    document = DOCUMENT | {"header": {"names": ["Zähler", "Datum", "kWh", "Datum 2", "kWh 2"]}}
    first = imported(document, "Süd;01/03/2026 06:00;5\n".encode())
    assert rejected(first).decode() == "Süd;01/03/2026 06:00;5;;;unknown site: Süd\n"

    add_site("Süd")
    assert imported(document, rejected(first)).new == 1


def test_all_come_back_where_some_are_known_only_at_the_end_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values that are added up are refused after those that are no numbers."""
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 1)
    document = DOCUMENT | {"header": {"find": ["Zähler", "Datum"]}, "same_instant": "add"}
    rows = "Süd;01/03/2026 06:00;5\nS1;01/03/2026 06:00;x\nS2;01/03/2026 07:00;7\n"
    first = imported(document, f"Zähler;Datum;kWh\n{rows}".encode())
    assert first.rejected == 3
    assert [line.partition(";")[0] for line in rejected(first).decode().splitlines()] == [
        "Zähler",
        "Süd",
        "S1",
        "S2",
    ]


def test_of_very_many_the_first_are_kept_and_the_page_says_so(
    monkeypatch: pytest.MonkeyPatch, oscar: Person
) -> None:
    """Half a gigabyte of lines of one letter would have filled the disk with eleven."""
    for engine in (SqliteBulk, PostgresqlBulk):
        monkeypatch.setattr(engine, "BATCH", 100)
    monkeypatch.setattr(readings, "DRY_BATCH", 100)
    monkeypatch.setattr(uploads, "MOST_REJECTS", 10_000)
    entry = imported(DOCUMENT, "Zähler;Datum;kWh\n;;\n".encode() + b"a\n" * 2000)
    assert entry.rejected == 2000
    assert uploads.rejects(uploads.kept(entry.kept_as)).stat().st_size < 20_000
    assert "many more, but not all of them" in oscar.get(f"/import/{entry.id}").text
    assert 200 < len(rejected(entry).splitlines()) < 600


def test_a_reason_does_not_repeat_all_formats_of_a_profile() -> None:
    formats = [f"{number:0150}%Y-%m-%d" for number in range(100)]
    entry = imported(DOCUMENT | {"time": {"columns": ["Datum"], "formats": formats}}, TEXT.encode())
    assert entry.rejected
    assert all(len(reason) < 300 for _, reason in entry.errors)


def test_those_known_late_take_no_memory_however_many_they_are(tmp_path: Path) -> None:
    path, half, batch = tmp_path / "kept", 30_000, 3_000
    path.write_text("site_id,reading_date,reading_value\n" + "S1,2026-03-01,1\n" * 2 * half)
    with uploads.rejects(path).open("w") as lines:
        for start in range(2, half + 2, batch):
            both = [*range(start, start + batch), *range(start + half, start + half + batch)]
            lines.writelines(f"{number}\tcontradicts {number}\n" for number in both)

    tracemalloc.start()
    try:
        count = sum(1 for _ in rejected_rows(path))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 1 + 2 * half
    assert most < 1_500_000


def test_a_sign_of_the_reason_that_the_encoding_has_not_is_a_question_mark() -> None:
    document = DOCUMENT | {
        "file": DOCUMENT["file"] | {"encoding": "iso-8859-1"},
        "header": {"names": ["Zähler", "Datum", "kWh"]},
        "site": {"column": "Zähler", "aliases": {"Süd": "Süd €"}},
    }
    first = imported(document, "Süd;01/03/2026 06:00;5\n".encode("iso-8859-1"))
    assert rejected(first).decode("iso-8859-1") == "Süd;01/03/2026 06:00;5;unknown site: Süd ?\n"
