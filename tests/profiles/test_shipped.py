"""Profiles that are shipped read the files of their feeds."""

import pytest

from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.shipped import SHIPPED
from tests.profiles.reading import Reading, read
from tests.profiles.test_given_files import FILES, expected


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_is_one(name: str) -> None:
    Profile.parsed(SHIPPED[name].document)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("passiv", "01_passiv_solar.csv"),
        ("stark", "03_stark_portal.csv"),
        ("edf", "05_edf_types.csv"),
        ("influx", "19_influx_annotated.csv"),
        ("d0010", "07_d0010.uff"),
        ("nem12", "14_nem12.csv"),
    ],
)
def test_it_reads_the_file_of_its_feed(name: str, file: str) -> None:
    readings, rejected = read(SHIPPED[name].document, (FILES / file).read_bytes())

    assert sorted(row[:2] for row in readings) == sorted(row[:2] for row in expected(file))
    assert rejected == []


HALF_HOURS = ",".join(f"P{number}" for number in range(1, 51))
SPRING, AUTUMN = ",".join(["0.5"] * 46 + [""] * 4), ",".join(["0.5"] * 50)
FLUVIUS = "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Register;Volume;Eenheid"


@pytest.mark.parametrize(
    ("name", "content", "first", "count"),
    [
        (
            "settlement_periods",
            f"MPAN,Date,{HALF_HOURS}\nA,29/03/2026,{SPRING}\nA,25/10/2026,{AUTUMN}\n",
            ("A", "2026-03-29T00:30:00Z", "0.5"),
            96,
        ),
        (
            "fluvius",
            f'{FLUVIUS}\n01-11-2026;00:00:00;01-11-2026;00:15:00;="541";Injectie Dag;0,125;kWh\n'
            '01-11-2026;00:00:00;01-11-2026;00:15:00;="541";Afname Dag;0,5;kWh\n'
            '01-11-2026;23:45:00;02-11-2026;00:00:00;="541";Injectie Nacht;;kWh\n',
            ("541", "2026-10-31T23:15:00Z", "0.125"),
            1,
        ),
        (
            "home_assistant",
            "entity_id,state,last_changed\nsensor.pv,unavailable,2026-11-01T06:00:00.000Z\n"
            "sensor.pv,1234.56,2026-11-01T06:05:00.123Z\n",
            ("sensor.pv", "2026-11-01T06:05:00.123000Z", "1234.56"),
            1,
        ),
    ],
)
def test_it_reads_a_small_file_of_the_published_form(
    name: str, content: str, first: Reading, count: int
) -> None:
    readings, rejected = read(SHIPPED[name].document, content)

    assert (readings[0], len(readings), rejected) == (first, count, [])
