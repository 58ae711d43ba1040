"""Text files as they come: encodings, lines above the header, comments, archives, names of files."""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from jobauto.imports.lines import FileError
from tests.profiles.reading import Reading, read

ROW = ("S1", "2026-11-05T06:00:00Z", "1.5")
LINE = "S1,2026-11-05T06:00,1.5\n"


def profile(**parts: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "file": {"kind": "delimited"},
        "header": {"find": ["Site", "kWh"]},
        "site": {"column": "Site"},
        "time": {"columns": ["Date"], "formats": ["iso"]},
        "value": {"columns": ["kWh"]},
    }
    return {
        name: document.get(name, {}) | part if isinstance(part, dict) and name != "header" else part
        for name, part in (document | parts).items()
    }


def refused(document: dict[str, Any], content: bytes | str, name: str | None = None) -> str:
    with pytest.raises(FileError) as error:
        read(document, content, name)
    return str(error.value)


def lines_of(rejected: list[Any]) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in rejected]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", f"Site,Date,kWh\n{LINE}".encode()),
        ("UTF-8", f"Site,Date,kWh\n{LINE}".encode("utf-8-sig")),
        ("utf-16", f"Site,Date,kWh\n{LINE}".encode("utf-16")),
        ("utf-16-le", f"\ufeffSite,Date,kWh\n{LINE}".encode("utf-16-le")),
        ("utf-16-be", f"Site,Date,kWh\r\n{LINE}".encode("utf-16-be")),
        ("windows-1252", f"Site,Date,Größe,kWh\n{LINE.replace('1.5', 'ä,1.5')}".encode("cp1252")),
    ],
)
def test_a_file_is_read_in_its_encoding(encoding: str, content: bytes) -> None:
    assert read(profile(file={"encoding": encoding}), content) == ([ROW], [])


@pytest.mark.parametrize(
    ("encoding", "content", "why"),
    [
        ("utf-8", f"Site,Date,kWh\n{LINE}".encode("utf-16"), "UTF-16"),
        ("utf-16", f"Site,Date,kWh\n{LINE}".encode(), "not in the encoding utf-16"),
        ("utf-8", b"PK\x03\x04", "damaged"),
        ("utf-8", b"", "empty"),
        ("utf-8", b"\n \n", "empty"),
        ("utf-8", b"Site;Date;kWh\n", "No row holds all of: Site, kWh"),
        ("utf-8", b"site,Date,kWh\n", "No row holds all of: Site, kWh"),
        ("utf-8", b"Site,Day,kWh\n", "no column Date. Its columns: Site, Day, kWh"),
    ],
)
def test_a_file_that_is_another_is_told_so(encoding: str, content: bytes, why: str) -> None:
    assert why in refused(profile(file={"encoding": encoding}), content)


def test_bytes_that_are_no_text_spoil_their_own_line_only() -> None:
    content = b"Site,Date,kWh\nS1,2026-11-05T06:00,1.5\nS\xff,2026-11-05T06:00,2\n"

    readings, _ = read(profile(), content)

    assert readings[0] == ROW
    assert not readings[1][0].isprintable()


NOT_CSV = "not CSV: a quoted field must end on its line, and a"
TITLES = 'sep=,\nReport for, "Farm"\n\nsite,date\n Site , Date , kWh \n'


@pytest.mark.parametrize(
    ("parts", "content", "rejected"),
    [
        ({}, f"{TITLES}{LINE}", []),
        ({"header": {"find": ["kWh", "Site"], "units_rows": 2}}, f"{TITLES},ISO,\n\n,,[kWh]\n{LINE}", []),
        ({"file": {"comment": "#"}}, f"#a,b\nSite,Date,kWh\n# all well,\n{LINE}#end\n", []),
        ({}, f"Site,Date,kWh\n{LINE}Total\n", [(3, "1 fields, but the header has 3")]),
        ({}, f"Site,Date,kWh\n{LINE}S1,2026-11-05T07:00,180,25\n", [(3, "4 fields, but the header has 3")]),
        ({}, f"Site,Date,kWh\n\n{LINE}\n,,\n", []),
        ({}, f"Site,Date,kWh\n{LINE}Site,Date,kWh\n", [(3, "the header again")]),
        ({}, f'Site,Date,kWh\n{LINE}"S1,2026-11-05T07:00,1\n', [(3, f"{NOT_CSV} comma must follow it")]),
        ({"file": {"delimiter": ";"}}, f"Site;Date;kWh\n{LINE.replace(',', ';')}", []),
        ({"file": {"delimiter": "\t"}}, f"Site\tDate\tkWh\n{LINE.replace(',', chr(9))}", []),
        ({"file": {"delimiter": "|"}}, f"Site|Date|kWh\n{LINE.replace(',', '|')}", []),
        ({"header": {"names": ["Site", "Date", "kWh"]}}, LINE, []),
        ({"header": {"names": ["Site", "Date", "kWh"]}}, f"sep=,\n{LINE}", []),
        ({"header": {"names": ["Site", "Date", "kWh"]}}, f"{LINE.strip()},photo,Jo\nS2,2026-11-05T06:00\n\n",
         []),
        ({"header": {"names": ["Site", "Date", "kWh"]}}, f'{LINE}"S1\n',
         [(2, f"{NOT_CSV} delimiter must follow it")]),
        ({"value": {"columns": [3]}, "site": {"column": 1}}, f"Site,Date,kWh\n{LINE}", []),
        ({"value": {"columns": ["kWh"]}}, f"Site,Date,kWh,kWh\n{LINE.strip()},9\n", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100])
def test_the_rows_are_those_below_the_header(
    parts: dict[str, Any], content: str, rejected: list[tuple[int, str]], size: int
) -> None:
    readings, others = read(profile(**parts), content, size=size)

    assert readings == [ROW]
    assert lines_of(others) == rejected


def test_lines_keep_their_numbers() -> None:
    content = "title\nSite,Date,kWh\nunits,,\n#x\n\nS1,x,1\nS1,2026-11-05T06:00,1.5\nS1,y,1\n"
    document = profile(file={"comment": "#"}, header={"find": ["Site"], "units_rows": 1})

    assert [row.line for row in read(document, content)[1]] == [6, 8]


@pytest.mark.parametrize(
    ("site", "cell", "found"),
    [
        ({}, " S1 ", "S1"),
        ({}, "21E00777", "21E00777"),
        ({}, "007", "007"),
        ({"strip": "=\""}, '"=""007"""', "007"),
        ({"strip": "'"}, "'007", "007"),
        ({"strip": "_"}, "_a_b_", "a_b"),
        ({"strip": "[]", "aliases": {"Casa Uno": "PLANT-A"}}, "[ Casa Uno ]", "PLANT-A"),
        ({"aliases": {"Casa Uno": "PLANT-A"}}, "casa uno", "casa uno"),
    ],
)  # fmt: skip
def test_a_site_is_the_cell_trimmed_stripped_and_by_its_alias(
    site: dict[str, Any], cell: str, found: str
) -> None:
    readings, _ = read(profile(site=site), f"Site,Date,kWh\n{cell},2026-11-05T06:00,1.5\n")

    assert readings == [(found, *ROW[1:])]


@pytest.mark.parametrize(
    ("pattern", "name", "site"),
    [
        ("export_{site}_*.csv", "export_PLANT-A_202611.csv", "PLANT-A"),
        ("export_{site}_*.csv", "export_PLANT-A_2026_11.csv", "PLANT-A"),
        ("*chronograf_{site}.csv", "18_chronograf_WEIR-07.csv", "WEIR-07"),
        ("{site}.csv", "/in/box/S1.csv", "S1"),
        ("{site}.csv", "C:\\in\\S1.csv", "S1"),
        ("{site}*", "S1", "S"),
        ("[x]?{site}.csv", "[x]?S1.csv", "S1"),
        ("[x]?{site}.csv", "xyS1.csv", None),
        ("export_{site}_*.csv", "Export_S1_1.csv", None),
        ("export_{site}_*.csv", "export__1.csv", None),
        ("export_{site}.csv", "export_S1.csv.bak", None),
    ],
)
def test_a_site_stands_in_the_name_of_its_file(pattern: str, name: str, site: str | None) -> None:
    document = profile() | {"site": {"file_name": pattern}}
    content = f"Site,Date,kWh\n{LINE}"

    if site is None:
        assert pattern in refused(document, content, name)
    else:
        assert read(document, content, name)[0][0][0] == site
    assert "file's name" in refused(document, content)


def archive(**members: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name.replace("__slash__", "/"), content)
    return file.getvalue()


def misnamed(packed: bytes) -> bytes:
    """An archive that says of a name which is no text that it is UTF-8."""
    found = bytearray(packed)
    entry = found.index(b"PK\x01\x02")
    for flags, name in ((7, 30), (entry + 9, entry + 46)):
        found[flags] |= 8
        found[name] = 0xFF
    return bytes(found)


FILE = f"Site,Date,kWh\n{LINE}".encode()


def test_an_archive_of_one_file_is_opened() -> None:
    by_name = profile() | {"site": {"file_name": "{site}.csv"}}
    one = {"folder__slash__": b"", "folder__slash__S1.csv": FILE, "__MACOSX__slash__x": b""}

    assert read(profile(), archive(a=FILE)) == ([ROW], [])
    assert read(by_name, archive(**one), "export.zip") == ([ROW], [])


def test_a_name_longer_than_a_file_can_have_is_not_searched_for_a_site() -> None:
    """It would be looked at from each of its signs to each: an archive may name its file by 65,535."""
    by_name = profile() | {"site": {"file_name": "*{site}b.csv"}}

    assert "255" in refused(by_name, archive(**{"a" * 65_000: FILE}), "export.zip")
    assert "255" in refused(by_name, FILE, "a" * 256)


def test_other_archives_are_refused() -> None:
    assert "holds 2 files" in refused(profile(), archive(a=FILE, b=FILE))
    assert "holds 0 files" in refused(profile(), archive())
    assert "damaged" in refused(profile(), archive(a=FILE)[:-40])
    packed = bytearray(archive(a=FILE))
    packed[31:39] = b"\xff" * 8  # behind the 30 bytes of the header and the name
    assert "damaged" in refused(profile(), bytes(packed))
    assert "damaged" in refused(profile(), misnamed(archive(a=FILE)))
    assert "damaged" in refused(profile(), archive(a=FILE)[:32] + archive(a=FILE)[40:]), "bytes are lost"
    flagged = bytearray(archive(a=FILE))
    flagged[6] |= 1
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in refused(profile(), bytes(flagged))


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ([{"column": "Est", "is": ["A", "B"]}], "AB"),
        ([{"column": "Est", "is_not": ["-"]}], "ABE "),
        ([{"column": "Est", "starts_with": "E"}], "E"),
        ([{"column": "Est", "is": [""]}], " "),
        ([{"column": "Est", "is_not": ["A"]}, {"column": "kWh", "is_not": ["2"]}], "E- "),
        ([{"column": "Est", "is": ["a"]}], ""),
    ],
)
def test_a_row_counts_only_where_all_conditions_hold(keep: list[dict[str, Any]], kept: str) -> None:
    cells = ["A", " B ", "E", "-", " "]
    lines = [f"S1,2026-11-0{at + 1}T06:00,{at + 1},{cell}" for at, cell in enumerate(cells)]
    readings, rejected = read(profile(keep=keep), "\n".join(["Site,Date,kWh,Est", *lines]))

    assert [cells[int(value) - 1].strip() or " " for _, _, value in readings] == list(kept)
    assert rejected == []


def test_a_missing_cell_is_empty() -> None:
    document = profile(
        header={"names": ["Site", "Date", "kWh", "Est"]}, keep=[{"column": "Est", "is_not": ["E"]}]
    )

    assert read(document, f"{LINE}{LINE.strip()},E\n") == ([ROW], [])


JSON_PROFILE: dict[str, Any] = {
    "file": {"kind": "json"},
    "site": {"column": "id"},
    "time": {"columns": ["at"], "formats": ["iso"]},
    "value": {"columns": ["kwh"]},
}


def of_json(content: str, **parts: Any) -> tuple[list[Reading], list[Any]]:
    document = {name: JSON_PROFILE.get(name, {}) | part for name, part in (JSON_PROFILE | parts).items()}
    return read(document, content)


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ({}, '[{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1.5}]'),
        ({}, '{"id": "S1", "at": "2026-11-05T06:00", "kwh": "1.5"}'),
        ({"file": {"path": "a.b"}}, '{"a": {"b": [{"id": "S1", "at": "2026-11-05T06:00", "kwh": 15e-1}]}}'),
        ({"file": {"path": "a.b"}},
         '{"a": [{"b": [{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1.5}]}, {}]}'),
        ({"file": {"path": "1"}}, '[[], [{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1.5}]]'),
        ({"value": {"columns": ["v.kwh"]}}, '[{"id": "S1", "at": "2026-11-05T06:00", "v": {"kwh": 1.5}}]'),
        ({"site": {"column": 1}, "time": {"columns": [2]}, "value": {"columns": [3]}},
         '[["S1", "2026-11-05T06:00", 1.5], ["S1", "2026-11-05T07:00"]]'),
        ({"value": {"decimal": ","}}, '[{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1.5}]'),
        ({"time": {"formats": ["unix"]}}, '[{"id": "S1", "at": 1793858400, "kwh": 1.5}]'),
        ({}, '[{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1.5}, {"id": "S1", "at": "x", "kwh": null},'
             '{"id": "S1"}]'),
    ],
)  # fmt: skip
def test_json_is_read_from_a_list_of_objects_or_of_lists(parts: dict[str, Any], content: str) -> None:
    readings, rejected = of_json(content, **parts)

    assert [(site, at, f"{float(kwh):.1f}") for site, at, kwh in readings] == [ROW]
    assert rejected == []


def test_what_is_no_row_in_json_is_refused_by_its_number() -> None:
    _, rejected = of_json('[7, {"id": ["S1"], "at": "x", "kwh": 1}, {"id": "S1", "at": "x", "kwh": 1}]')

    assert [line for line, _ in lines_of(rejected)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        ("[", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('[{"id": "S1", "at": "2026-11-05T06:00", "kWh": 1.5}]', "No object has kwh"),
        ('[{"id": "S1", "at": "2026-11-05T06:00", "kwh": 1e99999999}]', ""),
    ],
)
def test_json_that_is_another_is_told_so(content: str, why: str) -> None:
    if why:
        with pytest.raises(FileError, match=why):
            of_json(content)
    else:
        assert "too large" in of_json(content)[1][0].reason


def test_a_path_that_leads_nowhere_is_told() -> None:
    with pytest.raises(FileError, match=r"nothing at energy\.values"):
        of_json('{"energy": {}}', file={"path": "energy.values"})
