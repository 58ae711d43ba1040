"""What is plain is read a fast way, anything else a row at a time: both must say the same of any file."""

from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobauto.imports import columns, fields, rows
from jobauto.imports.lines import SPACES, physical_lines
from jobauto.models.types import to_microseconds
from tests.imports.hostile_lines import HEADER, KEPT, NOW, REFUSED

COLUMNS = ("site_id", "reading_date", "reading_value")
GOOD, BAD = [kept[0] for kept in KEPT.values()], [refused[0] for refused in REFUSED.values()]
LINES = [line for line in (*GOOD, *BAD) if len(line) < 200]

lines = st.lists(
    st.one_of(
        st.just(b"S1,2026-03-01T06:00,180.25"),
        st.sampled_from([*LINES, b"", b" ", HEADER]),
        st.lists(st.sampled_from([b"S1", b"1", b"", b" ", b'"', b",", b"\t", b"\xff", b"\x0b"])).map(
            b"".join
        ),
    ),
    max_size=8,
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


def row_by_row(file: bytes) -> list[rows.Row | rows.Rejected]:
    """Every line by the slow way alone."""
    text = list(physical_lines(BytesIO(file)))
    header = [name.decode() for name in HEADER.split(b",")]
    numbers, records, rejected = rows.set_aside(range(2, len(text) + 1), text[1:], header)
    block = rows.Block(numbers, list(zip(*records, strict=True)) or [()] * 3, rejected)
    return block.rows()


@settings(max_examples=600, deadline=None, derandomize=True)
@given(lines, ends, st.booleans())
@example([b"S1,d,1", b"", b"S1,d,1"], b"\n", True)
@example([b"S1,d", b"S1,d,1,5"], b"\n", True)  # as many commas as two rows have
@example([b"S1,d,1"], b"\r\n", False)
@example([b"S1,d,1\x85", b"S1\x0b,d,1"], b"\n", True)
def test_blocks_of_lines_and_single_lines_are_the_same_rows(
    some: list[bytes], end: bytes, is_ended: bool
) -> None:
    file = end.join([HEADER, *some]) + (end if is_ended else b"")

    assert list(rows.from_csv(BytesIO(file), COLUMNS)) == row_by_row(file)


numbers = st.one_of(
    st.sampled_from([line.rsplit(b",", 1)[-1].decode(errors="surrogateescape") for line in LINES]),
    st.text("0123456789.- +,e\u0661\uff11\n", max_size=17),
    st.decimals(-(10**13), 10**13, places=2).map(str),
    st.integers(-(10**13), 10**13).map(str),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(numbers, max_size=6))
@example(["1.005", "1", "-0.00", "1.5"])
@example(["1\n2", "3"])
@example(["999999999999.99", "-999999999999.99", "1000000000000"])
def test_a_column_of_registers_is_what_each_of_them_is(column: list[str]) -> None:
    def alone(text: str) -> int | None:
        try:
            return fields.watt_hours(text.strip(SPACES))
        except fields.FieldError:
            return None

    assert columns.watt_hours(column) == [alone(text) for text in column]


zones = st.sampled_from(["Europe/London", "Australia/Lord_Howe", "America/Havana", "UTC"])
stamps = st.one_of(
    st.sampled_from([line.split(b",")[1].decode(errors="surrogateescape") for line in LINES if b"," in line]),
    st.datetimes(datetime(1899, 12, 1), datetime(2026, 4, 30)).map(  # noqa: DTZ001 (local on purpose)
        lambda moment: moment.isoformat(sep=" ")
    ),
    st.builds(
        "2026-{}-{:02}{}{:02}:{:02}{}".format,
        st.sampled_from(["03", "10", "02"]),
        st.integers(24, 32),
        st.sampled_from("T t"),
        st.integers(0, 24),
        st.sampled_from([0, 29, 30, 59, 60]),
        st.sampled_from(["", "Z", "+01:00", ":30", ":30.5", ":30-05:30", " "]),
    ),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(zones, st.lists(stamps, max_size=8))
def test_instants_that_are_remembered_are_those_that_were_read(zone: str, texts: list[str]) -> None:
    remembered = columns.Instants(fields.InstantReader(ZoneInfo(zone), NOW))

    def alone(text: str) -> int | None:
        try:
            instant = fields.InstantReader(ZoneInfo(zone), NOW)(text.strip(SPACES))
            return to_microseconds(instant)
        except fields.FieldError:
            return None

    assert [remembered[text] for text in texts * 2] == [alone(text) for text in texts * 2]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns.Instants, "most", 10)
    instants = columns.Instants(fields.InstantReader(ZoneInfo("UTC"), NOW))

    for second in range(60):
        stamp = f"2026-03-01T06:00:{second:02}"
        assert instants[stamp] == to_microseconds(datetime(2026, 3, 1, 6, 0, second, tzinfo=UTC))
        assert len(instants) <= 10
