"""Standard kinds: D0010, NEM12, Green Button, IEC 62056-21."""

from typing import Any

import pytest

from jobauto.imports.lines import FileError
from tests.profiles.reading import read

Short = list[tuple[str, str, str]]


def profile(kind: str, **parts: Any) -> dict[str, Any]:
    return {"file": {"kind": kind}, "site": {}, "time": {"zone": "UTC"}, "value": {}} | parts


def found(content: str, kind: str, **parts: Any) -> tuple[Short, list[tuple[int, str]]]:
    """The readings with short instants and plain numbers, and what is rejected."""
    readings, rejected = read(profile(kind, **parts), content)
    short = [(site, at[5:16], f"{float(kwh):g}") for site, at, kwh in readings]
    return short, [(row.line, row.reason) for row in rejected]


def d0010(*rows: str) -> str:
    return "\n".join(["ZHV|1|D0010002|D|UDMS|X|MRCY|20261124153151||||OPER|", *rows, "ZPT|1|9||2|"])


A_METER = ("026|1200012345678|V|", "028|F26A00001|D|")


@pytest.mark.parametrize(
    ("rows", "parts", "kwh"),
    [
        (["030|S|20261123000000|56311.0|||T|N|"], {}, ["11-23T00:00 56311"]),
        (["030|DY|20261123000000|1042.0|||T|N|", "030|NT|20261123000000|388.0|||T|N|"], {},
         ["11-23T00:00 1430"]),
        (["030|S|20261123000000|5.0|||T|N|", "030|S|20261124000000|6.0|||T|N|"], {},
         ["11-23T00:00 5", "11-24T00:00 6"]),
        (["030|S|20261123000000|5.0|||T|N|", "030|S|20261123000000|5.0|||T|N|"], {}, ["11-23T00:00 5"]),
        (["030|S|20261123000000|5.0|||T|N|", "028|F26A00002|D|", "030|S|20261123000000|5.0|||T|N|"], {},
         ["11-23T00:00 10"]),
        (["030|S|20261123000000|5.0|||T|N|", "030|NT|20261123000000||||T|N|"], {}, []),
        (["030|S|20261123000000|5.0|||T|N|", "030|NT|20261123000000|6|||T|N|"],
         {"keep": [{"column": "register", "is": ["NT"]}]}, ["11-23T00:00 6"]),
        (["030|S|20260623000000|5.0|||T|N|"], {"time": {"zone": "Europe/London"}}, ["06-22T23:00 5"]),
        (["030|S|20261123|5.0|||T|N|"], {"time": {"date_only": "06:00"}}, ["11-23T06:00 5"]),
        (["032|x|", "030|S|20261123000000|5000|||T|N|"], {"value": {"unit": "Wh"}}, ["11-23T00:00 5"]),
    ],
)  # fmt: skip
def test_registers_of_d0010_are_added_up_by_mpan_and_instant(
    rows: list[str], parts: dict[str, Any], kwh: list[str]
) -> None:
    readings, rejected = found(d0010(*A_METER, *rows), "d0010", **parts)

    assert readings == [("1200012345678", *text.split(" ")) for text in kwh]
    assert rejected == []


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([*A_METER, "030|S|20261123000000|x|||T|N|", "030|T|20261123000000|1|||T|N|"], [4]),
        ([*A_METER, "030|S|20261323000000|1|||T|N|"], [4]),
        ([*A_METER, "030|S|20261123|1|||T|N|"], [4]),
        ([*A_METER, "030|S|20261123000000|1|||T|N|", "030|S|20261123000000|2|||T|N|"], [4, 5]),
        (["030|S|20261123000000|1|||T|N|", "026|1200012345678|V|"], [2]),
    ],
)
def test_of_a_part_of_d0010_that_cannot_be_read_no_sum_is_made(rows: list[str], lines: list[int]) -> None:
    readings, rejected = found(d0010(*rows), "d0010")

    assert readings == []
    assert [line for line, _ in rejected] == lines


def nem12(*rows: str) -> str:
    return "\n".join(["100,NEM12,202611250000,MDA1,RET1", *rows, "900"])


B1 = "200,QB1,E1B1,1,B1,N1,M1,kWh,360,"
E1 = "200,QB1,E1B1,2,E1,N1,M1,kWh,360,"
DAY = [("11-23T06:00", "1"), ("11-23T12:00", "2"), ("11-23T18:00", "3"), ("11-24T00:00", "4")]
TWICE = [(at, str(int(kwh) * 2)) for at, kwh in DAY]
A = "300,20261123,1,2,3,4,A,,,20261124000000,"


@pytest.mark.parametrize(
    ("rows", "parts", "readings", "lines"),
    [
        ([B1, A], {}, DAY, []),
        ([B1, A, E1, A], {}, TWICE, []),
        ([B1, A, E1, A], {"keep": [{"column": "NMISuffix", "is": ["B1"]}]}, DAY, []),
        ([B1, A, E1, A], {"keep": [{"column": "NMISuffix", "starts_with": "E"}]}, DAY, []),
        ([B1, A, B1, A], {}, DAY, []),
        ([B1, "300,20261123,1,2,3,4,N,,,,"], {}, [], []),
        ([B1, "300,20261123,1,,3,4,A,,,,"], {}, [DAY[0], *DAY[2:]], []),
        ([B1, "300,20261123,1,2,3,4,V,,,,", "400,1,2,A,,", "400,3,4,N,,"], {}, DAY[:2], []),
        ([B1, "300,20261123,1,2,3,4,V,,,,", "400,1,5,A,,"], {}, DAY, [4]),
        ([B1, "300,20261123,1,2,3,A,,,,"], {}, [], [3]),
        ([B1, "300,20261123,1,2,3,4"], {}, [], [3]),
        ([B1, "300,20261323,1,2,3,4,A"], {}, [], [3]),
        ([B1, "300"], {}, [], [3]),
        ([B1, "300,20261123,1,x,3,4,A"], {}, [DAY[0], *DAY[2:]], [3]),
        ([B1.replace("kWh", "Wh"), "300,20261123,1000,2000,3000,4000,A"], {}, DAY, []),
        ([B1.replace("kWh", "MWH"), "300,20261123,.001,0.002,0.003,0.004,A"], {}, DAY[1:], [3]),
        ([B1, A, E1.replace("kWh", "kVArh"), A], {}, [], [5] * 4),
        ([B1.replace("360", "7"), A], {}, [], [2, 3]),
        ([A], {}, [], [2]),
        ([B1, A.replace("20261123", "20260329")], {"time": {"zone": "Europe/London"}}, [], [3]),
        ([B1, A.replace("20261123", "99991231")], {}, [], [3]),
        ([B1, A.replace("20261123", "99991231"), B1.replace("360", "7")], {}, [], [3, 4]),
    ],
)  # fmt: skip
def test_days_of_nem12_are_the_ends_of_their_intervals(
    rows: list[str], parts: dict[str, Any], readings: list[tuple[str, str]], lines: list[int]
) -> None:
    taken, rejected = found(nem12(*rows), "nem12", measure="interval", **parts)

    assert taken == [("QB1", *reading) for reading in readings]
    assert [line for line, _ in rejected] == lines


def espi(*entries: str) -> str:
    body = "".join(f"\n<entry>{entry}</entry>" for entry in entries)
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">{body}</feed>'


def block(*readings: tuple[int, int, int], point: str = "0", meter: str = "01", extra: str = "") -> str:
    return (
        f'<link rel="self" href="/U/1/UsagePoint/{point}/MeterReading/{meter}/IntervalBlock/0"/><content>'
        "<e:IntervalBlock>"
        + "".join(
            f"<e:IntervalReading><e:cost>9</e:cost>{extra}<e:timePeriod><e:duration>{duration}</e:duration>"
            f"<e:start>{start}</e:start></e:timePeriod><e:value>{value}</e:value></e:IntervalReading>"
            for start, duration, value in readings
        )
        + "</e:IntervalBlock></content>"
    )


def kind_of(number: str, uom: str, power: str, direction: str = "1") -> str:
    return (
        f'<link rel="self" href="/U/1/ReadingType/{number}"/><content><e:ReadingType><e:flowDirection>'
        f"{direction}</e:flowDirection><e:powerOfTenMultiplier>{power}</e:powerOfTenMultiplier><e:uom>{uom}</e:uom>"
        "</e:ReadingType></content>"
    )


def meter(number: str, kind: str) -> str:
    return (
        f'<link rel="self" href="/U/1/UsagePoint/0/MeterReading/{number}"/>'
        f'<link rel="related" href="/U/1/ReadingType/{kind}"/><content><e:MeterReading/></content>'
    )


START = 1795478400
"""24 November 2026 at midnight."""
HOUR = (START, 3600, 1500)


@pytest.mark.parametrize(
    ("entries", "parts", "readings", "lines"),
    [
        ([block(HOUR)], {}, ["0 11-24T01:00 1.5"], []),
        ([block(HOUR)], {"site": {"constant": "S1"}}, ["S1 11-24T01:00 1.5"], []),
        ([block(HOUR)], {"site": {"aliases": {"0": "S1"}}}, ["S1 11-24T01:00 1.5"], []),
        ([block(HOUR)], {"site": {"aliases": {"/U/1/UsagePoint/0": "S1"}}}, ["S1 11-24T01:00 1.5"], []),
        ([kind_of("7", "72", "3"), block(HOUR)], {}, ["0 11-24T01:00 1500"], []),
        ([block(HOUR), meter("01", "7"), kind_of("7", "72", "-3"), kind_of("8", "72", "6")], {},
         ["0 11-24T01:00 0.002"], []),
        ([kind_of("7", "169", "0"), block(HOUR)], {}, [], [3]),
        ([block(HOUR, extra="<e:powerOfTenMultiplier>1</e:powerOfTenMultiplier>")], {},
         ["0 11-24T01:00 15"], []),
        ([meter("01", "7"), meter("02", "8"), kind_of("7", "72", "0", "1"), kind_of("8", "72", "0", "19"),
          block(HOUR), block((START, 3600, 7000), meter="02")],
         {"keep": [{"column": "flowDirection", "is": ["19"]}]}, ["0 11-24T01:00 7"], []),
        ([block((START, 3600, 1), (START + 3600, 1800, 2))], {},
         ["0 11-24T01:00 0.001", "0 11-24T01:30 0.002"], []),
        ([block(HOUR, extra="<e:powerOfTenMultiplier>99999</e:powerOfTenMultiplier>")], {}, [], [2]),
        ([block((10**20, 1, 1))], {}, [], [2]),
    ],
)  # fmt: skip
def test_intervals_of_green_button_end_where_they_end(
    entries: list[str], parts: dict[str, Any], readings: list[str], lines: list[int]
) -> None:
    taken, rejected = found(espi(*entries), "green_button", measure="interval", **parts)

    assert [" ".join(reading) for reading in taken] == readings
    assert [line for line, _ in rejected] == lines


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('<!DOCTYPE lolz [<!ENTITY lol "lol">]><feed>&lol;</feed>', "document type"),
        ('<!DOCTYPE feed SYSTEM "file:///etc/passwd"><feed/>', "document type"),
        ("<feed><entry></feed>", "mismatched tag"),
        ("<feed/>", "not XML of Green Button"),
        ("", "not XML of Green Button"),
        ("Date,kWh", "not XML of Green Button"),
    ],
)
def test_xml_that_is_no_green_button_is_refused(content: str, why: str) -> None:
    with pytest.raises(FileError, match=why):
        found(content, "green_button")


TELEGRAM = """/ELS5\\@V10.04
\x020.0.0(00012345)
0.9.1(061500)
0.9.2(261124)
1.8.0(001234.567*kWh)
1.8.0*01(001111.000*kWh)
1.8.1(000034.567*kWh)
2.8.0(000777.5*kWh)
!
\x03B
"""


@pytest.mark.parametrize(
    ("content", "parts", "readings", "lines"),
    [
        (TELEGRAM, {}, ["00012345 11-24T06:15 1234.57"], []),
        (TELEGRAM, {"keep": [{"column": "register", "is": ["2.8.0"]}]}, ["00012345 11-24T06:15 777.5"], []),
        (TELEGRAM, {"site": {"constant": "S1"}}, ["S1 11-24T06:15 1234.57"], []),
        (TELEGRAM, {"site": {"aliases": {"00012345": "S1"}}}, ["S1 11-24T06:15 1234.57"], []),
        (TELEGRAM, {"time": {"zone": "Europe/Berlin"}}, ["00012345 11-24T05:15 1234.57"], []),
        (TELEGRAM.replace("1.8.0(", "1-1:1.8.0*255("), {}, ["00012345 11-24T06:15 1234.57"], []),
        (TELEGRAM.replace("*kWh", ""), {"value": {"unit": "MWh"}}, ["00012345 11-24T06:15 1.23457e+06"], []),
        (TELEGRAM.replace("*kWh", "*MWh"), {}, ["00012345 11-24T06:15 1.23457e+06"], []),
        (TELEGRAM.replace("*kWh", "*kvarh"), {}, [], [5]),
        (TELEGRAM.replace("0.9.1(061500)", "0.9.1(06:15:00)").replace("261124", "26-11-24"), {},
         ["00012345 11-24T06:15 1234.57"], []),
        (TELEGRAM.replace("0.9.1", "0.9.7"), {}, [], [5]),
        (TELEGRAM.replace("1.8.0(", "1.8.9("), {}, [], []),
        (TELEGRAM + TELEGRAM.replace("00012345", "00012346").replace("\n", "\r\n"), {},
         ["00012345 11-24T06:15 1234.57", "00012346 11-24T06:15 1234.57"], []),
    ],
)  # fmt: skip
def test_a_read_out_of_iec_62056_gives_one_register(
    content: str, parts: dict[str, Any], readings: list[str], lines: list[int]
) -> None:
    taken, rejected = found(content, "iec62056", **parts)

    assert [" ".join(reading) for reading in taken] == readings
    assert [line for line, _ in rejected] == lines


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("d0010", "ZHV|1|D0149001|D|", "flow D0149001"),
        ("d0010", "Site,Date\n", "no row 026"),
        ("d0010", "", "no row 026"),
        ("nem12", "100,NEM13,2\n", "not a NEM12"),
        ("nem12", "", "not a NEM12"),
        ("iec62056", "Site,Date\n", "no read-out"),
    ],
)
def test_a_file_of_another_kind_is_told_so(kind: str, content: str, why: str) -> None:
    with pytest.raises(FileError, match=why):
        found(content, kind)
