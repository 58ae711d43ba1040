"""A file as a whole: its encoding, line ends, header and blank lines."""

from io import BytesIO

import pytest

from jobauto.imports import rows
from jobauto.imports.lines import FileError
from jobauto.imports.rows import Rejected, Row

COLUMNS = ("site_id", "reading_date", "reading_value")
OPTIONAL = ("active", "group")
HEADER = b"site_id,reading_date,reading_value\n"
GOOD = Row(2, ["S1", "d", "1"])


def read(file: bytes) -> list[Row | Rejected]:
    """All rows of a file."""
    return list(rows.from_csv(BytesIO(file), COLUMNS))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(HEADER + b"S1,d,1\n", id="plain"),
        pytest.param(HEADER + b"S1,d,1", id="no line end at the end"),
        pytest.param(b"\xef\xbb\xbf" + HEADER + b"S1,d,1\n", id="a mark of byte order"),
        pytest.param(
            b'\xef\xbb\xbf"site_id",reading_date,reading_value\r\nS1,d,1\r\n', id="mark, then quote"
        ),
        pytest.param(HEADER.replace(b"\n", b"\r\n") + b"S1,d,1\r\n", id="CR LF"),
        pytest.param(HEADER.replace(b"\n", b"\r") + b"S1,d,1\r", id="lone CR"),
        pytest.param(HEADER + b"S1,d,1\r\n", id="mixed line ends"),
        pytest.param(b" site_id , reading_date\t,reading_value \nS1,d,1\n", id="spaces in the header"),
        pytest.param(b'"site_id","reading_date","reading_value"\nS1,d,1\n', id="quoted header"),
        pytest.param(b"reading_value,site_id,reading_date\n1,S1,d\n", id="another order"),
        pytest.param(b"x,site_id,,reading_date,y,reading_value\n9,S1,8,d,7,1\n", id="unknown columns"),
        pytest.param(b"x,site_id,x,reading_date,reading_value\n9,S1,8,d,1\n", id="an unknown one twice"),
        pytest.param(HEADER + b"S1,d,1\n\n   \n\t\n\r\n", id="blank lines after"),
        pytest.param(b"Site ID,READING-DATE,readingvalue\nS1,d,1\n", id="capitals, spaces and dashes"),
        pytest.param(HEADER.replace(b",", b";") + b"S1;d;1\n", id="semicolons"),
        pytest.param(HEADER.replace(b",", b"\t") + b'"S1"\td\t1\n', id="tabs"),
        pytest.param(HEADER.replace(b",", b"\t") + b"S1\td\t1\r\n", id="tabs without quotes"),
    ],
)
def test_one_row_is_read_from(file: bytes) -> None:
    assert read(file) == [GOOD]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        pytest.param(b"", "The file is empty", id="nothing"),
        pytest.param(b"\xef\xbb\xbf", "The file is empty", id="only a mark of byte order"),
        pytest.param(b"\n \r\n\t\n", "The file is empty", id="only blank lines"),
        pytest.param(
            b"S1,2026-03-31T06:00,1\n", "Missing: site_id, reading_date, reading_value", id="no header"
        ),
        pytest.param(b"site_id,reading_date\nS1,d\n", "Missing: reading_value", id="a column is missing"),
        pytest.param(b'"site_id,reading_date,reading_value\n', "Missing: site_id", id="an open quote"),
        pytest.param(b"site_id,site_id,reading_date,reading_value\n", "twice: site_id", id="a column twice"),
        pytest.param(bytes(range(256)), "Missing", id="any bytes"),
    ],
)
def test_a_file_without_the_right_header_is_refused_whole(file: bytes, reason: str) -> None:
    with pytest.raises(FileError, match=reason):
        read(file)


def test_an_optional_column_twice_is_refused_as_well() -> None:
    file = BytesIO(b"site_id,active,active\nS1,yes,no\n")

    with pytest.raises(FileError, match="twice: active"):
        list(rows.from_csv(file, ["site_id"], OPTIONAL))


def test_the_header_is_refused_before_any_row_is_asked_for() -> None:
    with pytest.raises(FileError):
        rows.from_csv(BytesIO(b"nonsense\n"), COLUMNS)


def test_only_a_header_is_a_file_without_rows() -> None:
    assert read(HEADER) == []


def test_absent_optional_columns_and_their_blank_cells_say_nothing() -> None:
    def values(file: bytes) -> list[str | None]:
        (row,) = rows.from_csv(BytesIO(file), ["site_id"], OPTIONAL)
        assert isinstance(row, Row)
        return row.values

    assert values(b"site_id,active,group\nS1, ,north") == ["S1", None, "north"]
    assert values(b"group,site_id\nnorth,S1") == ["S1", None, "north"]
    assert values(b"site_id,x\nS1,y") == ["S1", None, None]


def numbers(file: bytes) -> dict[int, str]:
    """Of each line that is not blank, its number and "kept" or the reason."""
    return {row.line: row.reason.split(":")[0] if isinstance(row, Rejected) else "kept" for row in read(file)}


def test_blank_lines_count_as_lines_and_commas_alone_are_not_blank() -> None:
    file = b"\n" + HEADER + b"\nS1,d,1\n   \n,,\n\r\n\rS1,d,1\n"

    assert numbers(file) == {4: "kept", 6: "kept", 9: "kept"}
    assert read(file)[1] == Row(6, ["", "", ""])
    assert numbers(file.replace(b",", b"\t")) == {4: "kept", 6: "kept", 9: "kept"}


def test_blank_lines_are_left_out_before_any_is_looked_at_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten megabytes of them would keep the importer busy for as long as millions of rows."""
    monkeypatch.delattr(rows, "set_aside")

    assert numbers(HEADER + b"\n \t\n\r\n" * 1000 + b"S1,d,1\n") == {3002: "kept"}


def test_lines_without_enough_fields_are_told_before_any_is_looked_at_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(rows, "set_aside")

    assert read(HEADER + b"x\nS1,d,1\n,,,\n") == [
        Rejected(2, "1 fields, but the header has 3"),
        Row(3, ["S1", "d", "1"]),
        Rejected(4, "4 fields, but the header has 3"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CR LF", "CR"])
def test_an_open_quote_spoils_its_own_line_only(end: bytes) -> None:
    lines = [HEADER.strip(), b"S1,d,1", b'"S1,d,1', b"S1,d,2", b'S1,d,"3', b'"S1",d,4', b'S1,"d', b"S1,d,5"]

    assert numbers(end.join(lines)) == {
        2: "kept",
        3: "not CSV",
        4: "kept",
        5: "not CSV",
        6: "kept",
        7: "not CSV",
        8: "kept",
    }


def test_a_quoted_field_over_two_lines_is_no_field() -> None:
    assert numbers(HEADER + b'S1,"d\nd",1\nS1,d,1\n') == {
        2: "not CSV",
        3: "2 fields, but the header has 3",
        4: "kept",
    }


def test_many_open_quotes_do_not_make_the_reading_slow() -> None:
    """Each is read on to the next quote or the longest field, never to the end of the file."""
    spoilt = numbers(HEADER + b'"S1,d,1\n' * 20_000 + b"S1,d,1\n" * 20_000)

    assert len(spoilt) == 40_000
    assert list(spoilt.values()).count("kept") == 20_000


class Endless(BytesIO):
    """A file that never ends."""

    def read1(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        """Its header, then a thousand lines at a time."""
        lines = HEADER if self.tell() == 0 else b"S1,d,1\n" * 1000
        self.seek(1)
        return lines


def test_rows_are_read_as_they_are_asked_for() -> None:
    stream = rows.from_csv(Endless(), COLUMNS)

    assert [next(stream).line for _ in range(5000)] == list(range(2, 5002))
