"""Profiles that are shipped read the files of their feeds."""

import pytest

from jobauto.imports.profiles.document import Profile
from jobauto.imports.profiles.shipped import SHIPPED
from tests.profiles.reading import read
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
