"""Whatever a file holds, only its first part is looked at, and what cannot be read is told in a sentence."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO, RawIOBase
from time import process_time
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from jobauto.imports.lines import FileError
from jobauto.imports.preview import LONGEST
from jobauto.imports.profiles.document import Profile
from jobauto.imports.proposing import sample
from jobauto.imports.proposing.proposer import propose
from jobauto.imports.proposing.sample import HEAD, sample_of
from jobauto.imports.proposing.tables import raw_by
from tests.memory import at_most
from tests.profiles.reading import LONDON
from tests.profiles.workbooks import Serial, Value, workbook
from tests.proposing.test_given_files import NOW, proposal_for

SECONDS = 20
HEADER = "site_id,reading_date,reading_value\n"


class Endless(RawIOBase):
    """A file of 500 MB that is made up while it is read."""

    def __init__(self, header: bytes, row: bytes) -> None:
        self.taken = 0
        self._parts = self._made(header, row)
        self._rest = b""

    def _made(self, header: bytes, row: bytes) -> Iterator[bytes]:
        yield header
        while True:
            yield row * 1000

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        assert (place, whence) == (0, 0)
        assert self.taken <= 4
        self.taken, self._rest = 0, b""
        return 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "the whole file is asked for"
        while len(self._rest) < size:
            self._rest += next(self._parts)
        found, self._rest = self._rest[:size], self._rest[size:]
        self.taken += size
        return found


def test_of_a_large_file_only_the_first_part_is_read() -> None:
    row = b"S1,2026-03-31T06:00Z,1234.56\n"
    file = Endless(b"", HEADER.encode() + row)

    sample = sample_of(cast("BinaryIO", file), "a.csv")

    assert file.taken == HEAD
    assert not sample.is_whole
    assert sample.content.endswith((row, HEADER.encode()))


UNITS: list[Sequence[Value]] = [
    ["site", "date", "kWh"],
    ["kWh", f"D-D-D{' ' * 100_000}\nx", "kWh"],
    *(("S1", f"2026-11-0{day}T06:00Z", day) for day in range(1, 9)),
]
HOSTILE = {
    "one long line": b"a," * 1_000_000,
    "one long quoted field": b'site,date,v\n"' + b"x" * 1_000_000,
    "a hundred thousand columns": (",".join(f"c{at}" for at in range(100_000)) + "\n").encode() * 3,
    "deep JSON": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "long digits": HEADER.encode() + b"S1,2026-03-31T06:00Z," + b"9" * 200_000 + b"\n",
    "exponents": HEADER.encode() + b"S1,2026-03-31T06:00Z,1e999999999\n" * 100,
    "exponents of JSON": b'[{"site": "S1", "date": "2026-11-01", "kWh": 1e999999999999}]',
    "nothing but zeroes": b"\0" * 1_000_000,
    "random bytes": bytes(range(256)) * 4000,
    "slashes": HEADER.encode() + b"S1," + b"1/1/" * 50_000 + b",1\n",
    "many columns of dates": (",".join(["1/2/2026"] * 1500) + ",5\n").encode() * 20,
    "many columns of what is nearly dates": (",".join(["31/31/2026 x"] * 1500) + ",5\n").encode() * 20,
    "many columns of numbers": (
        b"date,"
        + b",".join(b"n%d" % at for at in range(2000))
        + b"\n"
        + (b"2026-11-01" + b",1.5" * 1900 + b"\n") * 20
    ),
    "a web page": b"<!doctype html><html><body>Please log in</body></html>",
    "years that no calendar has": HEADER.encode() + b"S1,9999-12-31T24:00Z,1\nS1,0000-00-00T00:00Z,2\n" * 50,
    "a JSON list far wider than those before it": (
        b"[" + b'["2026-11-01",5],' * 1900 + b"[" + b"1," * 60_000 + b"1]]"
    ),
    "JSON that closes at every depth": b"[" * 130_000 + b"]" * 130_000 + b" " * 30_000,
    "JSON of many paths through many items": json.dumps(
        [{f"k{at}": [{f"k{at}": [] for at in range(20)}] for at in range(200)}] + [{}] * 50_000
    ).encode(),
    "a row of units with many spaces": workbook({"A": UNITS}),
    "a read-out of one long word": b"/ABC\n1.8.0(1)\n1.8.0(2)\n" + b"a" * 200_000,
    "XML of many blocks": (
        b'<feed xmlns="http://naesb.org/espi"><UsagePoint/>'
        + b"<entry><IntervalReading/></entry>" * 20_000
        + b"</feed>"
    ),
    "numbers that no meter has": json.dumps(
        [{"site": "S1", "at": f"2026-11-0{day}T06:00Z", "kWh": 10} for day in range(1, 9)]
    )
    .replace(": 10}", ": 1e999999999}")
    .encode(),
    "cells that are no number": workbook(
        {"A": [UNITS[0], *(("S1", f"2026-11-0{day}T06:00Z", float("nan")) for day in range(1, 9))]}
    ),
    "a date that no calendar has": workbook({"A": [UNITS[0], *[("S1", Serial(-1e300, 1), 5)] * 5]}),
    "names that are formulas": b'=cmd|"/c calc"!A0,date,kWh\nS1,2026-11-01,5\nS1,2026-11-02,7\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_told_of_or_proposed_in_bounded_time(name: str) -> None:
    started = process_time()

    with suppress(FileError):
        proposal_for(HOSTILE[name], "a.csv", {})

    assert process_time() - started < SECONDS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b"  \n \n", "The file is empty."),
        (b"%PDF-1.7 ...", "No row of its first part has a date and a number"),
        (b"<html></html>", "not of Green Button"),
        (b"meter,v\n21E00777,1\n", "No row of its first part has a date and a number"),
        (b'{"a": 1}', "No row of its first part has a date and a number"),
        (b"PK\x03\x04 broken", "damaged"),
    ],
)
def test_what_nothing_can_be_said_of_is_told_in_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(FileError, match=why):
        proposal_for(content, "a.csv", {})


def test_the_first_part_of_a_large_json_document_is_closed_and_read() -> None:
    values = [{"at": f"2026-11-{1 + at % 25:02}T06:00Z", "kWh": at} for at in range(20_000)]
    content = json.dumps({"a": "}]", "meter": {"values": values}}).encode()
    assert len(content) > 2 * HEAD

    proposal = proposal_for(content, "a.json", {})

    assert proposal.text("path") == "meter.values"


def test_a_list_that_no_path_leads_to_is_passed_over() -> None:
    rows = [{"at": f"2026-11-{day:02}T06:00Z", "kWh": day} for day in range(1, 9)]
    content = json.dumps({"meters": [{"0": {"values": rows}}], "values": rows}).encode()

    assert proposal_for(content, "a.json", {}).text("path") == "values"


def test_a_file_in_an_archive_and_a_large_workbook_are_looked_at_in_the_same_way() -> None:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("export_S1.csv", "date,kWh\n" + "2026-11-01T06:00Z,5\n" * 1_000_000)
    rows: list[list[Value]] = [["S1", "2026-11-01T06:00Z", at] for at in range(5000)]
    sheet = workbook({"A": [["site", "date", "kWh"], *rows]})

    sample = sample_of(packed, "a.zip")
    proposal = propose(sample, {}, is_site={"S1"}.intersection, zone=LONDON, now=NOW)

    assert len(sample.content) <= HEAD
    assert proposal.text("site") == "name:export_{site}.csv"
    assert proposal_for(sheet, "a.xlsx", {}).several("value_columns") == ("kWh",)
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("a.xlsx", sheet)
    assert proposal_for(packed.getvalue(), "a.zip", {}).several("value_columns") == ("kWh",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "windows-1252"])
def test_the_encoding_is_told_by_the_bytes(encoding: str) -> None:
    text = "Zähler;Datum;Stand kWh\nA;05.11.2026;1\nA;13.11.2026;2\n"

    proposal = proposal_for(text.encode(encoding), "a.csv", {}, sites={"A"})

    assert proposal.text("encoding") == encoding.removesuffix("-sig")
    assert proposal.document()["header"] == {"find": ["Zähler", "Datum", "Stand kWh"]}


def test_of_a_wide_sheet_fewer_rows_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two million cells, which are 100 kB of a file, took 600 MB."""
    monkeypatch.setattr(sample, "CELLS", 100)
    rows = sample_of(BytesIO(workbook({"Data": [["7"] * 20] * 6})), "a.xlsx").sheet("Data")
    assert len(rows) == 5


def test_of_the_rows_that_are_shown_beside_a_trial_one_is_held_at_a_time() -> None:
    """A text of a cell, which the workbook itself holds in a third of the room, is of no use but there."""
    rows = [["Site", "Date", "kWh"], *([["x" * 4000] * 26] * 100)]
    sample = sample_of(BytesIO(workbook({"Data": rows})), "a.xlsx")
    profile = Profile.parsed(
        {
            "file": {"kind": "excel"},
            "header": {"find": ["Site"]},
            "site": {"column": "Site"},
            "time": {"columns": ["Date"], "formats": ["iso"]},
            "value": {"columns": ["kWh"]},
        }
    )
    with at_most(2):
        raw = raw_by(sample, profile)
    assert (len(raw), raw[1]) == (101, "Site | Date | kWh")
    assert max(map(len, raw.values())) == LONGEST
