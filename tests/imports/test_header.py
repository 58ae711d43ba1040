"""Which column is which, which are ignored and named, and what a file is that cannot be imported."""

import gzip
import io
import json
import zipfile
from io import BytesIO

import pytest

from jobauto.imports import readings, rows, sites
from jobauto.imports.header import NAMED, named
from jobauto.imports.lines import FileError
from jobauto.imports.rows import Row

HEADER = b"site_id,reading_date,reading_value\n"
SITES = ("site_id", "site_name", "monitored_from", "active", "group")


def columns_of(header: str) -> tuple[list[str | None], list[str]]:
    """Of a list of sites: where each column was found, by its cell, and the ignored ones."""
    count = len(header.split(","))
    source = sites.from_csv(BytesIO(f"{header}\n{','.join(map(str, range(count)))}".encode()))
    (row,) = source
    assert isinstance(row, Row)
    return row.values, source.ignored_columns


@pytest.mark.parametrize(
    ("header", "places", "ignored"),
    [
        pytest.param(",".join(SITES), ["0", "1", "2", "3", "4"], [], id="exact"),
        pytest.param(
            "Site ID,SITE-NAME,Monitored_From,Active,GROUP", ["0", "1", "2", "3", "4"], [], id="alike"
        ),
        pytest.param(
            "site_id,site_name,monitored from,is_active",
            ["0", "1", "2", None, None],
            ["is_active"],
            id="one is not",
        ),
        pytest.param(
            "site_id,site_name,Group,group", ["0", "1", None, None, "3"], ["Group"], id="the exact one wins"
        ),
        pytest.param(
            "site_id,Site_Id,site_name,SITE ID",
            ["0", "2", None, None, None],
            ["Site_Id", "SITE ID"],
            id="over two",
        ),
        pytest.param(
            "a,site_id,,site_name,b,a,unit",
            ["1", "3", None, None, None],
            ["a", "b", "unit"],
            id="unknown ones",
        ),
        pytest.param(
            "site_id,site_name,gr\x07\u00a0oup",
            ["0", "1", None, None, None],
            ["gr??oup"],
            id="that cannot be shown",
        ),
    ],
)
def test_columns_are_found_and_the_others_named(
    header: str, places: list[str | None], ignored: list[str]
) -> None:
    found, named = columns_of(header)
    assert (found[: len(places)], named) == (places, ignored)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Site_ID,site id,site_name", "More than one column could be site_id: Site_ID, site id."),
        ("site_id,site_name,Active,ACTIVE", "More than one column could be active: Active, ACTIVE."),
        ("site_id,site_name,site_name", "names a column twice: site_name."),
    ],
)
def test_two_columns_that_are_alike_refuse_the_file(header: str, told: str) -> None:
    with pytest.raises(FileError, match=told):
        columns_of(header)


REFUSED = [
    "unit",
    "Unit",
    "zone",
    "time_zone",
    "Time Zone",
    "timezone",
    "status",
    "STATUS",
    "register",
    "channel",
]


@pytest.mark.parametrize("name", REFUSED)
def test_a_column_that_tells_of_other_values_refuses_a_file_of_readings(name: str) -> None:
    file = f"site_id,reading_date,reading_value,{name}\n".encode()

    with pytest.raises(FileError) as refusal:
        readings.from_csv(BytesIO(file))
    for told in (f"a column {name}:", "A profile", f"--ignore-column {name}", f"&ignore_column={name}"):
        assert told in str(refusal.value)
    assert readings.from_csv(BytesIO(file), ignore=[name.lower()]).ignored_columns == [name]


@pytest.mark.parametrize("name", ["units", "qualities", "meter", "is_status", ""])
def test_any_other_column_of_readings_is_ignored(name: str) -> None:
    source = readings.from_csv(BytesIO(f"site_id,reading_date,reading_value,{name}\n".encode()))

    assert source.ignored_columns == ([name] if name else [])


def test_a_required_column_cannot_be_ignored() -> None:
    with pytest.raises(FileError, match="Missing: reading_value"):
        readings.from_csv(BytesIO(HEADER), ignore=["Reading Value"])


def test_keys_of_json_that_nobody_takes_are_named_and_refuse_nothing() -> None:
    source = rows.from_json(
        b'[{"site_id": 1, "unit": 2}, {"status": [3], "site_id": 2, "unit": 4}, 5]', ["site_id"]
    )

    assert [row.line for row in source if isinstance(row, Row)] == [1, 2]
    assert source.ignored_columns == ["unit", "status"]


def test_where_each_object_has_keys_of_its_own_the_first_are_named_and_no_other_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[list[str]] = []

    def look(names: list[str]) -> list[str]:
        looked_at.append(names)
        return named(names)

    monkeypatch.setattr(rows, "named", look)
    source = rows.from_json(json.dumps([{f"key{at}": 1} for at in range(200)]).encode(), ["site_id"])

    assert len(list(source)) == 200
    assert source.ignored_columns == [f"key{at}" for at in range(NAMED)]
    assert len(looked_at) == NAMED


@pytest.mark.parametrize("mark", ["sep=;", '"sep=;"', "SEP=,", "sep=\t"])
def test_a_line_for_spreadsheets_is_skipped_and_counted(mark: str) -> None:
    (row,) = readings.from_csv(
        BytesIO(f"{mark}\r\nsite_id;reading_date;reading_value\r\nS1;d;1\r\n".encode())
    )

    assert row == Row(3, ["S1", "d", "1", None])


def archive(name: str) -> bytes:
    """A zip with one file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr(name, HEADER)
    return content.getvalue()


@pytest.mark.parametrize(
    ("file", "told"),
    [
        pytest.param(
            archive("[Content_Types].xml"),
            "Excel workbook. A profile reads it as it is; or save it as “CSV UTF-8",
            id="a workbook",
        ),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook. A profile reads it", id="an old workbook"
        ),
        pytest.param(archive("readings.csv"), "zip archive. Unpack it", id="a zip"),
        pytest.param(gzip.compress(HEADER), "gzip archive. Unpack it", id="gzip"),
        pytest.param(HEADER.decode().encode("utf-16"), "UTF-16. Save it as CSV in UTF-8", id="UTF-16"),
        pytest.param(HEADER.decode().encode("utf-16-be"), "UTF-16. Save it", id="UTF-16 without its mark"),
        pytest.param(HEADER.decode().encode("utf-16-le"), "UTF-16. Save it", id="the other order"),
        pytest.param(b"%PDF-1.7\n", "PDF document. Export", id="a PDF"),
        pytest.param(
            b"Portal export\n\nFrom;To\n" + HEADER, "header is in line 4, below other lines", id="titles"
        ),
        pytest.param(b"Portal export,,\n" + HEADER.replace(b",", b";"), "header is in line 2", id="a title"),
        pytest.param(
            b"S1,2026-03-31T06:00,1\n",
            "no header: put a first line site_id,reading_date,reading_value",
            id="no header",
        ),
        pytest.param(b"S1;31.03.2026 06:00;1\n", "no header: put a first line", id="none with semicolons"),
        pytest.param(
            b"MPAN,Date,Reading\n1,2,3\n", "Missing: site_id, reading_date, reading_value.", id="other names"
        ),
        pytest.param(b"MPAN;reading_date;reading_value\n", "Missing: site_id.", id="one other name"),
        pytest.param(
            "Zählpunkt;Datum;Zählerstand\nA;01.11.2026;1,5\n".encode(),
            "It names Zählpunkt, Datum, Zählerstand, separated by semicolons. "
            "A file of another feed needs its profile. The page Profiles makes one from the file.",
            id="another feed",
        ),
        pytest.param(b"a,b,c,d,e,f,g,h,i,j,k\n", "g, h, i, j, others, separated by commas", id="many names"),
    ],
)
def test_a_file_that_is_none_is_told_what_it_is_and_what_to_do(file: bytes, told: str) -> None:
    with pytest.raises(FileError) as refusal:
        readings.from_csv(BytesIO(file))
    assert told in str(refusal.value)
