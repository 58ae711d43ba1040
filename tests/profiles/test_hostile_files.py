"""What a file of a feed costs is bounded, however it was made: one request of somebody who may import."""

import json
import struct
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from time import process_time
from types import MappingProxyType
from typing import Any, BinaryIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from jobauto.imports import lines
from jobauto.imports.columns import Instants, read_registers
from jobauto.imports.fields import InstantReader
from jobauto.imports.lines import FileError
from jobauto.imports.profiles import cells, delimited, found, green_button, iec62056, json_file, times
from jobauto.imports.profiles import workbook as workbooks
from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.layouts import Sites
from jobauto.imports.profiles.packed import opened
from jobauto.imports.profiles.reader import rows_of
from jobauto.imports.profiles.standard import Context
from jobauto.imports.profiles.times import Days, Times
from jobauto.imports.profiles.workbook import check_size
from jobauto.imports.rows import from_csv
from tests.memory import MEGABYTE, at_most
from tests.profiles.reading import LONDON, NOW, read

TABLE = {
    "file": {"kind": "delimited"},
    "header": {"names": ["id", "at", "kwh"]},
    "site": {"column": "id"},
    "time": {"columns": ["at"], "formats": ["iso"]},
    "value": {"columns": ["kwh"]},
}
JSON = {name: part for name, part in TABLE.items() if name != "header"} | {"file": {"kind": "json"}}
SECONDS = 10


def of_kind(kind: str, **parts: Any) -> dict[str, Any]:
    return {"file": {"kind": kind}, "site": {"constant": "S1"}, "time": {}, "value": {}} | parts


def packed(content: bytes, times: int) -> BytesIO:
    """An archive of a file that is many times as long."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
        for _ in range(times):
            member.write(content)
    return file


@pytest.mark.parametrize(
    "document",
    [TABLE, *(of_kind(kind) for kind in ("d0010", "nem12", "iec62056"))],
    ids=lambda document: document["file"]["kind"],
)
def test_a_line_that_does_not_end_is_not_read_to_its_end(document: dict[str, Any]) -> None:
    file = packed(b"a" * MEGABYTE, 60)
    with (
        at_most(20),
        pytest.raises(FileError, match=r"line 1 .* more than 500,000"),
        rows_of(file, Profile.parsed(document), "a.zip", LONDON, NOW) as rows,
    ):
        next(rows.blocks(100))


def archive_of_many(files: int) -> BytesIO:
    """An archive that names very many empty files, all of them in one place."""
    place = struct.pack("<4s5H3L2H", b"PK\x03\x04", *[0] * 8, 1, 0) + b"a"
    names = (struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a") * files
    counted = (44, 20, 20, 0, 0, files, files, len(names), len(place))
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *counted)
    to_end = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(place) + len(names), 1)
    of_former_kind = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    return BytesIO(place + names + end + to_end + of_former_kind)


def look_into(file: BinaryIO) -> None:
    with opened(file) as found:
        found.stream.read(1)


LOOKS = pytest.mark.parametrize("look", [look_into, check_size], ids=["zip", "workbook"])


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA], ids=["bzip2", "lzma"])
@LOOKS
def test_an_archive_that_is_not_unpacked_piece_by_piece_is_refused(
    look: Callable[[BinaryIO], object], method: int
) -> None:
    """Of bzip2 the library unpacks at once what it has read: 849 bytes took two gigabytes."""
    file = BytesIO()
    with ZipFile(file, "w", method) as archive:
        archive.writestr("xl/workbook.xml", b" " * 30 * MEGABYTE)
    with at_most(5), pytest.raises(FileError, match="damaged"):
        look(file)


@LOOKS
def test_an_archive_that_names_very_many_files_is_not_listed(look: Callable[[BinaryIO], object]) -> None:
    """One of 500 MB would have taken more than 3 GB."""
    file = archive_of_many(100_000)
    with at_most(10), pytest.raises(FileError, match="too many files"):
        look(file)


def test_so_is_one_of_a_file_of_our_own() -> None:
    with at_most(20), pytest.raises(FileError, match=r"line 2 .* more than 500,000"):
        next(from_csv(BytesIO(b"site_id,at\n" + b"a" * 6 * MEGABYTE), ["site_id", "at"]).blocks(100))


def test_of_long_lines_fewer_are_held_at_a_time_and_each_has_its_number() -> None:
    line = b"S1,2026-11-05T06:00Z," + b" " * 99_978 + b"7\n"
    file = packed(line * 10, 100)
    with at_most(250), rows_of(file, Profile.parsed(TABLE), "a.zip", LONDON, NOW) as rows:
        blocks = [block.lines for block in rows.blocks(100_000)]
    assert len(blocks) > 1
    assert [number for lines in blocks for number in lines] == list(range(1, 1001))


def test_of_lines_with_very_many_fields_few_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of 0.2 MB took 660 MB."""
    monkeypatch.setattr(lines, "MOST_AT_ONCE", lines.MOST_AT_ONCE // 10)
    line = b"S1,2026-11-05T06:00Z,7" + b",xy" * 16_000 + b"\n"
    profile = Profile.parsed(TABLE | {"header": {"find": ["id"]}})
    file = packed(b"id,at,kwh" + b",ab" * 16_000 + b"\n" + line * 45, 1)
    with at_most(40), rows_of(file, profile, "a.zip", LONDON, NOW) as rows:
        assert sum(len(block.lines) for block in rows.blocks(100_000)) == 45


MANY = [f"c{number}" for number in range(19_997)]
WIDE = TABLE | {"header": {"names": ["id", "at", "kwh", *MANY]}}
ALL_SITES = {"layout": "wide_sites", "site": {}, "value": {}}


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="that nobody asks for"),
        pytest.param({"time": {"columns": MANY, "formats": ["iso"]}}, id="of the time"),
    ],
)
def test_columns_that_no_line_has_are_not_held_for_each(parts: dict[str, Any]) -> None:
    """5,000 lines of four characters took 1.9 GB."""
    profile = Profile.parsed(WIDE | parts)
    with at_most(60), rows_of(BytesIO(b"S1,,7\n" * 900), profile, None, LONDON, NOW) as rows:
        assert sum(len(block.rejected) for block in rows.blocks(100_000)) == 900


@pytest.mark.parametrize(
    ("document", "content"),
    [
        pytest.param(WIDE | ALL_SITES, "S1\n" * 100, id="lines"),
        pytest.param(
            JSON | ALL_SITES,
            "[" + ",".join(f'{{"at":1,"k{at}":1}}' for at in range(100)) + "]",
            id="json",
        ),
    ],
)
def test_rows_lack_only_so_many_columns(
    document: dict[str, Any], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 MB of objects that have each a key of its own would have taken hours: all keys, in each."""
    monkeypatch.setattr(cells, "MOST_LACKING", 8000)
    with pytest.raises(FileError, match="lack more than 8,000"):
        read(document, content)


def test_keys_that_only_the_last_object_has_are_not_looked_for_in_each() -> None:
    """2 MB of empty objects above it would have taken half an hour, before the first row."""
    keys = [f"k{at}" for at in range(5_000)]
    content = f"[{'{},' * 100_000}{json.dumps(dict.fromkeys(['id', 'at', *keys], 1))}]"
    profile = Profile.parsed(JSON | {"value": {"columns": keys}})
    began = process_time()
    assert len(json_file.table_of(BytesIO(content.encode()), profile).names) == 5_002
    assert process_time() - began < SECONDS


def test_what_stands_inside_the_last_object_alone_is_looked_for_only_so_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cells, "MOST_LACKING", 8000)
    inside = [f"in.k{at}" for at in range(100)]
    content = f"[{'{},' * 100}{json.dumps({'id': 1, 'at': 1, 'in': {f'k{at}': 1 for at in range(100)}})}]"
    with pytest.raises(FileError, match="lack more than 8,000"):
        json_file.table_of(BytesIO(content.encode()), Profile.parsed(JSON | {"value": {"columns": inside}}))


def test_a_header_of_very_many_names_is_not_made_anew_for_each_line_above_it() -> None:
    """Two megabytes of short lines would have taken ten minutes."""
    profile = Profile.parsed(TABLE | {"header": {"find": [f"c{at}" for at in range(20_000)]}})
    began = process_time()
    with pytest.raises(FileError, match="No row holds all of"):
        delimited.table_of(BytesIO(b"a\n" * 50_000), profile)
    assert process_time() - began < SECONDS


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            {"keep": [{"column": "id", "is_not": [f"{at:06}" for at in range(1000)]}] * 100},
            id="words of conditions",
        ),
        pytest.param(
            {"header": {"names": ["id", "at", "P1"]}, "layout": "wide_times", "value": {}}
            | {"time": {"columns": ["id"], "formats": ["S%Y%j"], "minutes": 1}},
            id="minutes of days",
        ),
    ],
)
def test_a_short_row_costs_little_however_much_its_profile_asks(parts: dict[str, Any]) -> None:
    """Ten megabytes of them, as the API takes, would have taken half an hour."""
    days = (f"S{year}{day:03}" for year in range(1000, 1060) for day in range(1, 366))
    rows = "".join(f"{day},2026-11-05T06:00Z,7\n" for day in days)
    began = process_time()
    read(TABLE | parts, rows)
    assert process_time() - began < SECONDS


def test_json_of_very_many_values_is_not_read() -> None:
    content = b"[" + b"0," * 2_000_000 + b"0]"
    with at_most(25), pytest.raises(FileError, match="more than 1,500,000 values"):
        read(JSON, content)


@pytest.mark.parametrize("between", [",", "},{"], ids=["of one object", "of many"])
def test_json_of_very_many_different_keys_is_not_held(between: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MOST_NAMES", 8)
    keys = between.join(f'"{at}": "x"' for at in range(9))
    with pytest.raises(FileError, match="more than 8 different keys"):
        read(JSON, f"[{{{keys}}}]")


def test_lists_within_lists_are_no_deeper_for_a_path_than_for_the_parser() -> None:
    content = b"[" * 900 + b'{"x": {"id": "S1", "at": "2026-11-05T06:00Z", "kwh": 7}}' + b"]" * 900
    assert read(JSON | {"file": {"kind": "json", "path": "x"}}, content)[0] == [
        ("S1", "2026-11-05T06:00:00Z", "7.00")
    ]


def test_a_number_of_thousands_of_digits_spoils_its_own_line_only() -> None:
    rows = f"100,NEM12,1,A,B\n200,A,E1,1,E1,N1,1,kWh,1440,1\n300,20261105,7,A,,,\n400,{'1' * 5000},2,A,,\n"
    readings, rejected = read(of_kind("nem12", measure="interval"), rows)
    assert (len(readings), [each.line for each in rejected]) == (1, [4])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("".join(f"030|{at}|20261105060000|1|\n" for at in range(9)), id="parts of one sum"),
        pytest.param("".join(f"030|1|20261105060000|{at}|\n" for at in range(9)), id="that contradict"),
        pytest.param("".join(f"030|1|202611050600{at:02}|1|\n" for at in range(9)), id="sums"),
    ],
)
def test_only_so_many_readings_are_held_to_be_added_up(rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "MOST", 8)
    with pytest.raises(FileError, match="More than 8 readings cannot be added up"):
        read(of_kind("d0010"), f"026|1012345678901|V|\n028|M|C|\n{rows}")


def test_what_is_added_up_waits_in_a_file_and_not_in_memory() -> None:
    """Two million readings, which 8 MB of NEM12 may have, would have taken two gigabytes."""
    readings = (found.Found(line, "S1", f"{line}", Decimal(line)) for line in range(1, 50_001))
    with at_most(20):
        assert sum(each.line for each in found.added(readings)) == 50_000 * 50_001 // 2


@pytest.mark.parametrize(
    ("mpan", "meter", "why"),
    [
        pytest.param("S" * 400_000, "M", "site_id has more than 50 characters", id="a site"),
        pytest.param("S1", "M" * 400_000, "reading_value is of a meter or register whose name", id="a meter"),
    ],
)
def test_what_a_file_says_once_is_not_held_with_each_reading(mpan: str, meter: str, why: str) -> None:
    """A megabyte would have filled the disk. Nor is the sum of the other register taken for that of both."""
    rows = "".join(f"030|R|2026110506{at:02}00|1|\n" for at in range(50))
    file = f"026|{mpan}|V|\n028|N|C|\n{rows}028|{meter}|C|\n{rows}"
    with at_most(10):
        readings, rejected = read(of_kind("d0010", site={}), file)
    assert not readings
    assert {each.reason.startswith(why) for each in rejected} == {True}
    assert {each.line for each in rejected} >= set(range(54, 104))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("<entry/>" * 9, "more than 8", id="entries"),
        pytest.param("<entry>" + "<link/>" * 9 + "</entry>", "more than 8", id="links"),
        pytest.param("<IntervalReading/>" * 9, "more than 8", id="readings"),
        pytest.param("<a>" * 101, "deeper than 100", id="depth"),
        pytest.param(f'<a b="{"x" * 12 * MEGABYTE}"/>', "longer than 10,000,000", id="a tag"),
        pytest.param("".join(f"<a{n}/>" for n in range(1001)), "too many names", id="names"),
    ],
)
def test_of_xml_only_so_much_is_held(content: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(green_button, "MOST", 8)
    with pytest.raises(FileError, match=why):
        read(of_kind("green_button"), f"<feed>{content}</feed>")


ADDRESS = '<entry><link rel="self" href="{0}"/><link rel="up" href="{0}"/><IntervalReading/></entry>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(ADDRESS.format("/UsagePoint/" + "x" * MEGABYTE), "an address longer", id="an address"),
        pytest.param(ADDRESS.format("/UsagePoint/" + "x" * 900) * 1200, "texts of more than", id="addresses"),
        pytest.param(
            "<entry>" + f"<IntervalReading><value>{'1' * 60_000}</value></IntervalReading>" * 40 + "</entry>",
            "texts of more than",
            id="values",
        ),
    ],
)
def test_of_green_button_only_so_much_text_is_held(
    content: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive of a megabyte took two and a half gigabytes."""
    monkeypatch.setattr(green_button, "MOST_TEXT", MEGABYTE, raising=False)
    with pytest.raises(FileError, match=why):
        read(of_kind("green_button"), f"<feed>{content}</feed>")


def test_a_text_of_xml_that_does_not_end_is_not_kept() -> None:
    content = packed(b"<feed>" + b"a" * 60 * MEGABYTE, 1).getvalue()
    with at_most(20), pytest.raises(FileError):
        read(of_kind("green_button"), content)


@pytest.mark.parametrize("part", sorted(workbooks.BESIDE_SHEETS))
def test_what_a_workbook_says_of_its_sheets_is_not_read_however_long_it_is(part: str) -> None:
    """One of 0.5 MB, with four million sheets, took 1.6 GB."""
    workbook = workbook_with("<worksheet><sheetData/></worksheet>", {part: " " * 22 * MEGABYTE})
    with at_most(10), pytest.raises(FileError, match="sheets, names and styles"):
        check_size(workbook)


def test_names_in_a_workbook_are_not_gathered_in_memory() -> None:
    names = "".join(f"<a{n}/>" for n in range(150_000))
    workbook = workbook_with(f"<worksheet><sheetData>{names}</sheetData></worksheet>")
    with at_most(30), pytest.raises(FileError, match="damaged"):
        check_size(workbook)


def test_elements_of_a_workbook_that_never_end_are_not_remembered() -> None:
    """A file of a few kilobytes took 600 MB."""
    workbook = workbook_with("<sheetData>" + "<row>" * MEGABYTE)
    with at_most(10), pytest.raises(FileError, match="damaged"):
        check_size(workbook)


def test_a_workbook_of_too_many_cells_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million of them, in 0.3 MB, took 14 seconds."""
    monkeypatch.setattr(workbooks, "MOST_CELLS", 100)
    with pytest.raises(FileError, match="more than 100 cells"):
        check_size(workbook_with("<sheetData>" + "<row><c><v/></c></row>" * 200_000 + "<"))


def test_a_workbook_has_no_more_rows_than_excel() -> None:
    with pytest.raises(FileError, match="damaged"):
        check_size(workbook_with("<sheetData>" + "<row/>" * (workbooks.MOST_ROWS + 1) + "</sheetData>"))


def test_the_number_of_a_text_in_a_workbook_is_not_gathered_for_ever() -> None:
    workbook = workbook_with(f'<sheetData><c r="A1" t="s"><v>{"1" * 12 * MEGABYTE}</v></c></sheetData>')
    with at_most(10), pytest.raises(FileError, match="damaged"):
        check_size(workbook)


def test_a_tag_in_a_workbook_is_not_waited_for_to_its_end() -> None:
    workbook = workbook_with(f'<sheetData><row x="{"1" * 40 * MEGABYTE}"/></sheetData>')
    with at_most(30), pytest.raises(FileError, match="damaged"):
        check_size(workbook)


def workbook_with(sheet: str, more: Mapping[str, str] = MappingProxyType({})) -> BytesIO:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        parts = {"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": sheet}
        for name, text in (parts | dict(more)).items():
            archive.writestr(name, text)
    return file


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            f"<feed xmlns='{'u' * 100_000}'>{{}}</feed>".format("".join(f"<a{n}/>" for n in range(500))),
            id="a long namespace",
        ),
        pytest.param(
            f"<feed xmlns:p='{'u' * 100_000}'><x {{}}/></feed>".format(
                " ".join(f"p:a{n}=''" for n in range(500))
            ),
            id="a long namespace of attributes",
        ),
        pytest.param("<feed>{}</feed>".format("".join(f"<a{n}/>" for n in range(150_000))), id="many names"),
        pytest.param(
            "<feed>{}</feed>".format("".join(f"<a{n}{'u' * 50_000}/>" for n in range(500))), id="long names"
        ),
    ],
)
def test_names_in_green_button_are_not_gathered_in_memory(content: str) -> None:
    file = content.encode()
    with at_most(8), pytest.raises(FileError):
        read(of_kind("green_button"), file)


def test_many_blocks_of_green_button_do_not_make_the_reading_slow() -> None:
    link = '<entry><link rel="self" href="/UsagePoint/1/MeterReading/{0}{1}"/>{2}</entry>'
    blocks = "".join(
        link.format(at, "", "<MeterReading/>")
        + link.format(at, "/IntervalBlock/1", "<IntervalBlock><IntervalReading/></IntervalBlock>")
        for at in range(8000)
    )
    started = process_time()
    read(of_kind("green_button"), f"<feed>{blocks}</feed>")
    assert process_time() - started < SECONDS


def caches() -> dict[str, Callable[[str], object]]:
    """What is remembered of the fields of a file, and (of values) as long as the process lives."""
    profile = Profile.parsed(TABLE)
    return {
        "values": lambda text: read_registers([text]),
        "instants": Instants(InstantReader(LONDON, NOW)).__getitem__,
        "times": Times(profile, LONDON, NOW).__getitem__,
        "days": Days(Times(profile, LONDON, NOW), 30).__getitem__,
        "sites": Sites(profile).__getitem__,
    }


@pytest.mark.parametrize("of", caches())
def test_a_long_field_is_not_remembered(of: str) -> None:
    """A value of 10 MB was kept by the process: 200 requests later it had two gigabytes."""
    look_up = caches()[of]
    with at_most(15):
        for number in range(20):
            look_up(f"{'x' * MEGABYTE}{'y' * number}")


@pytest.mark.parametrize("of", ["a row a day", "a standard kind"])
def test_the_minutes_of_days_are_not_remembered_for_ever(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of one reading each, in a NEM12 of four megabytes when packed, took 700 MB."""
    monkeypatch.setattr(times, "MOST_ENDS", 30_000)
    monkeypatch.setattr(times.Ends, "most", 20)
    profile = Profile.parsed(TABLE)
    ends = Days(Times(profile, LONDON, NOW), 1), Context(profile, None, LONDON, NOW)
    with at_most(6):
        for number in range(120):
            day = date(2024, 1, 1) + timedelta(days=number)
            if of == "a row a day":
                assert ends[0][day.isoformat()].ends
            else:
                assert ends[1].ends_of(day, 1)


def test_many_cells_are_not_remembered_together() -> None:
    look_up: Any = caches()["times"]
    with at_most(1):
        for number in range(40):
            look_up((*["x"] * 5000, f"{number}"))


def test_a_long_line_of_a_read_out_does_not_make_the_reading_slow() -> None:
    started = process_time()
    with pytest.raises(FileError):
        read(of_kind("iec62056"), "a" * 200_000 + "\n")
    assert process_time() - started < SECONDS


def test_a_telegram_has_only_so_many_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iec62056, "MOST_REGISTERS", 8)
    with pytest.raises(FileError, match="more than 8 registers"):
        read(of_kind("iec62056"), "".join(f"1.8.{at}(1)\n" for at in range(9)))


def test_long_texts_of_a_read_out_are_not_held() -> None:
    """An archive of a megabyte took three gigabytes."""
    sets = (f"1.1.{at}({'a' * 100_000})\n{'1' * 100_000}.1.{at}(1)\n" for at in range(100))
    content = "".join(["/ABC5\n", *sets]).encode()
    with at_most(10):
        read(of_kind("iec62056"), content)


UNIT = "k\0" + "W" * 100_000


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param(
            "nem12",
            f"100,NEM12,202603011200,A,B\n200,S1,E1,E1,E1,N,M,{UNIT},1440\n" + "300,20260301,1,A\n" * 20,
            id="nem12",
        ),
        pytest.param(
            "iec62056", f"/ABC5\n0.9.1(060000)\n0.9.2(260301)\n1.8.0(1*{UNIT})\n!\n" * 20, id="iec62056"
        ),
    ],
)
def test_the_reason_of_a_row_does_not_repeat_what_a_file_says_once(kind: str, content: str) -> None:
    """A megabyte with a unit of 100,000 characters would have filled the disk with gigabytes of reasons."""
    _, rejected = read(of_kind(kind), content)
    assert rejected
    assert all(len(row.reason) < 100 and "\0" not in row.reason for row in rejected)
