"""Excel: dates and numbers are taken as such; too large a workbook is refused before it is read."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from jobauto.imports.lines import FileError
from tests.profiles.reading import Reading, read
from tests.profiles.test_tables import misnamed
from tests.profiles.workbooks import MAIN, Serial, Value, packed, workbook

DAY = 46331.0
"""5 November 2026."""
HALF_PAST_TEN = 0.4375
AT_TEN_THIRTY = "2026-11-05T10:30:00Z"


def profile(**parts: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "file": {"kind": "excel"},
        "header": {"find": ["Site", "Date"]},
        "site": {"column": "Site"},
        "time": {"columns": ["Date"], "formats": ["%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y%m%d"]},
        "value": {"columns": ["kWh"]},
    }
    for name, part in parts.items():
        document[name] = document[name] | part if isinstance(part, dict) and name in document else part
    return document


def rows(*given: Sequence[Value], **parts: Any) -> tuple[list[Reading], list[tuple[int, str]]]:
    content = workbook({"Data": [["Fleet"], [], ["Site", "Date", "Time", "kWh"], *given]})
    readings, rejected = read(profile(**parts), content)
    return readings, [(row.line, row.reason) for row in rejected]


BOTH = {"columns": ["Date", "Time"]}


@pytest.mark.parametrize(
    ("time", "date", "clock", "at"),
    [
        ({}, Serial(DAY + HALF_PAST_TEN, 3), None, AT_TEN_THIRTY),
        ({}, "05/11/2026 10:30", None, AT_TEN_THIRTY),
        ({}, Serial(DAY, 1), None, None),
        ({"date_only": "06:00"}, Serial(DAY, 1), None, "2026-11-05T06:00:00Z"),
        ({"date_only": "06:00"}, 20261105.0, None, "2026-11-05T06:00:00Z"),
        ({}, DAY + HALF_PAST_TEN, None, None),
        (BOTH, Serial(DAY, 1), Serial(HALF_PAST_TEN, 2), AT_TEN_THIRTY),
        (BOTH, Serial(DAY, 1), "10:30", AT_TEN_THIRTY),
        (BOTH, Serial(DAY, 1), "24:00", "2026-11-06T00:00:00Z"),
        (BOTH, Serial(DAY, 1), "half past", None),
        (BOTH, "05/11/2026", Serial(HALF_PAST_TEN, 2), AT_TEN_THIRTY),
        (BOTH, "05/11/2026", "10:30", AT_TEN_THIRTY),
        (BOTH, Serial(DAY, 1), Serial(0.0, 2), "2026-11-05T00:00:00Z"),
        ({}, Serial(46331.0208333333, 3), None, "2026-11-05T00:30:00Z"),
        ({"formats": ["unix"]}, 1795478400.0, None, "2026-11-24T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_cell_that_is_a_date_or_a_time_is_taken_as_such(
    time: dict[str, Any], date: Value, clock: Value, at: str | None
) -> None:
    readings, rejected = rows(["S1", date, clock, 5.5], time=time)

    assert [row[1] for row in readings] == ([at] if at else [])
    assert [line for line, _ in rejected] == ([] if at else [4])


@pytest.mark.parametrize("size", [1, 1000])
def test_among_times_of_day_a_cell_of_exactly_midnight_is_a_time(size: int) -> None:
    dates = [Serial(DAY, 3), Serial(DAY + 0.5, 3), Serial(DAY + 1, 3)]
    given: list[list[Value]] = [["S1", date, 1.5] for date in dates]
    content = workbook({"Data": [["Site", "Date", "kWh"], *given]})

    readings, rejected = read(profile(), content, size=size)

    assert [at for _, at, _ in readings] == [
        "2026-11-05T00:00:00Z",
        "2026-11-05T12:00:00Z",
        "2026-11-06T00:00:00Z",
    ]
    assert rejected == []


@pytest.mark.parametrize(
    ("value", "given", "kwh"),
    [
        ({}, 10212.5, "10212.50"),
        ({}, 0.1, "0.10"),
        ({"decimal": ",", "thousands": "."}, 1.234, "1.23"),
        ({"decimal": ",", "thousands": "."}, "1.234", "1234.00"),
        ({"thousands": ","}, "1,771.0", "1771.00"),
        ({}, 1e15, "1000000000000000.00"),
        ({"unit": "MWh"}, 1.2, "1200.00"),
    ],
)
def test_a_cell_that_is_a_number_is_taken_as_such(value: dict[str, Any], given: Value, kwh: str) -> None:
    readings, _ = rows(["S1", "05/11/2026 10:30", None, given], value=value)

    assert readings == [("S1", AT_TEN_THIRTY, kwh)]


def test_a_whole_number_as_a_site_is_its_plain_digits() -> None:
    readings, _ = rows([2000011112222.0, "05/11/2026 10:30", None, 1.0])

    assert readings == [("2000011112222", AT_TEN_THIRTY, "1.00")]


def test_whole_numbers_name_columns_and_times_of_day_are_names_of_columns() -> None:
    sites = workbook({"Data": [["Date", 2000011112222.0], ["05/11/2026 10:30", 7.0]]})
    times = workbook(
        {"Data": [["Site", "Date", Serial(0.5, 2), Serial(0.0, 2)], ["S1", Serial(DAY, 1), 1.0, 2.0]]}
    )
    wide_sites = profile(header={"find": ["Date"]}, site={}, value={"columns": []}, layout="wide_sites")
    wide_sites["site"] = {}
    wide_times = profile(time={"minutes": 720}, value={"columns": []}, layout="wide_times")

    assert read(wide_sites, sites)[0] == [("2000011112222", AT_TEN_THIRTY, "7.00")]
    assert [row[1:] for row in read(wide_times, times)[0]] == [
        ("2026-11-05T12:00:00Z", "1.00"),
        ("2026-11-06T00:00:00Z", "2.00"),
    ]


def test_a_row_without_a_value_is_blank_and_empty_cells_at_its_end_do_not_count() -> None:
    readings, rejected = rows(
        [None, None, None, None, None, None],
        ["S1", "05/11/2026 10:30", None, 1.0, None, ""],
        ["Total", None, None, None],
        ["S1", "05/11/2026 10:30", None, 1.0, "photo"],
        [],
        ["S1", "06/11/2026 10:30", None, 2.0],
    )

    assert [row[2] for row in readings] == ["1.00", "2.00"]
    assert rejected == [(7, "5 fields, but the header has 4")]


def test_the_sheet_is_the_first_or_the_one_that_is_named() -> None:
    head: list[list[Value]] = [["Site", "Date", "Time", "kWh"]]
    book = workbook(
        {
            "One": [*head, ["S1", "05/11/2026 10:30", None, 1.0]],
            "Q4 reads": [*head, ["S1", "05/11/2026 10:30", None, 4.0]],
        }
    )

    assert read(profile(), book)[0][0][2] == "1.00"
    assert read(profile(file={"sheet": "Q4 reads"}), book)[0][0][2] == "4.00"
    with pytest.raises(FileError, match=r"no sheet Q1 reads\. Its sheets: One, Q4 reads"):
        read(profile(file={"sheet": "Q1 reads"}), book)


CELL = '<c r="A2">'
"""With which a sheet of :func:`far` is sound and small."""


def sheet(*cells: str) -> bytes:
    numbers = [cell.lstrip("AZ") for cell in cells]
    rows = "".join(
        f'<row r="{row}"><c r="{cell}"><v>1</v></c></row>' for row, cell in zip(numbers, cells, strict=True)
    )
    return packed({"Data": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'})


def far(cell: str) -> str:
    """A sheet of two cells, the second of which is written in an unusual way."""
    first = '<row r="1"><c r="A1"><v>1</v></c></row>'
    name = cell[1:].split()[0]
    data = f"<sheetData>{first}<row r='999999'>{cell}<v>1</v></{name}></row></sheetData>"
    return f'<worksheet xmlns="{MAIN}" xmlns:x_y="{MAIN}">{data}</worksheet>'


def with_part(content: bytes, name: str, text: str | bytes) -> bytes:
    """A workbook with one more part."""
    file = BytesIO(content)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def moved(content: bytes, old: str, new: str) -> bytes:
    """A workbook, one part of which has another name."""
    file = BytesIO()
    with ZipFile(BytesIO(content)) as given, ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name in given.namelist():
            archive.writestr(name.replace(old, new), given.read(name).replace(old.encode(), new.encode()))
    return file.getvalue()


def repeated(cells: int, text: str) -> bytes:
    """A workbook of cells that all have the same text, which stands in it once."""
    rows = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, cells + 1))
    book = packed({"Data": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'})
    texts = f'<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>'
    return with_part(book, "xl/SharedStrings.xml", texts)


def zipped(name: str, content: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (sheet("A1", "Z1048576"), "more than 2,000,000 cells"),
        (packed({"Data": f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{"<c><v>1</v></c>" * 3}</row>'
                         "<row r='1048576'><c><v>1</v></c></row></sheetData></worksheet>"}),
         "more than 2,000,000 cells"),
        (packed({"Data": far('<c r="zz999999">')}), "more than 2,000,000"),
        (packed({"Data": far('<c a=">" r="ZZ999999">')}), "more than 2,000,000"),
        (packed({"Data": far(f'<c a="{"x" * 3000}" r="ZZ999999">')}), "more than 2,000,000"),
        (packed({"Data": far('<x_y:c r="ZZ999999">')}), "more than 2,000,000"),
        (moved(sheet("A1", "ZZ1048576"), "worksheets/sheet1.xml", "other/sheet1.xml"), "more than 2,000,000"),
        (moved(sheet("A1", "ZZ1048576"), "worksheets/sheet1.xml", "sheet1.png"), "more than 2,000,000"),
        (with_part(sheet("A1"), "content.xml", "<office/>"), "not an Excel workbook"),
        (with_part(sheet("A1"), "xl/workbook.bin", ""), "not an Excel workbook"),
        (packed({"Data": f'<!DOCTYPE a [<!ENTITY b "c">]>{far(CELL)}'}), "damaged"),
        (with_part(sheet("A1"), "xl/sharedStrings.xml", '<!DOCTYPE a [<!ENTITY b "c">]><sst/>'), "damaged"),
        (repeated(1000, "a" * 1_000_000), "more than 200,000,000"),
        (b"Site,Date,kWh\n", "not an Excel workbook"),
        (b"", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), r"\(.xls\), or has a password\. Save it as \.xlsx"),
        (sheet("A1")[:-200], "damaged"),
        (misnamed(sheet("A1")), "damaged"),
        (sheet("A1")[:60] + sheet("A1")[69:], "damaged"),
        (sheet("A1")[:60] + bytes(9) + sheet("A1")[69:], "damaged"),
        (workbook({"Data": [["Site", "Date", "kWh"], ["S1", Serial(-1e300, 1), 5]]}), "no calendar has"),
        (zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), "not an Excel workbook"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_or_too_large_a_one_is_told_so(content: bytes, why: str) -> None:
    with pytest.raises(FileError, match=why):
        read(profile(), content)


def test_cells_that_hold_nothing_take_no_room() -> None:
    xml = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Site</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>Date</t></is></c>'
        '<c r="C1" t="inlineStr"><is><t>kWh</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData></worksheet>'
    )

    assert read(profile(), packed({"Data": xml})) == ([], [])


def test_a_part_that_is_no_sheet_may_hold_anything() -> None:
    book = workbook({"D": [["Site", "Date", "kWh"], ["S1", "05/11/2026 10:30", 1.0]]})
    query = '<?xml version="1.0" encoding="utf-16"?><DataMashup>AAAA</DataMashup>'.encode("utf-16")

    assert read(profile(), with_part(book, "customXml/item1.xml", query))[0] == [
        ("S1", AT_TEN_THIRTY, "1.00")
    ]


def test_a_workbook_in_an_archive_is_opened() -> None:
    book = workbook({"D": [["Site", "Date", "kWh"], ["S1", "05/11/2026 10:30", 1.0]]})

    assert read(profile(), zipped("reads.xlsx", book))[0] == [("S1", AT_TEN_THIRTY, "1.00")]
