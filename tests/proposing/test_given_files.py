"""Files as operators have them: the proposal reads each exactly as it must be stored, or asks what nobody can
tell from the file."""

import csv
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from jobauto.imports.proposing.proposal import Proposal, Value
from jobauto.imports.proposing.proposer import propose
from jobauto.imports.proposing.sample import sample_of
from tests.profiles.reading import LONDON, read
from tests.profiles.test_given_files import DECIMALS, FILES, PROFILES, REFUSED, expected

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
Answers = Mapping[str, Value]


def _fleet() -> set[str]:
    with (FILES / "expected.csv").open() as file:
        return {row[1] for row in csv.reader(file)}


FLEET = _fleet()


def proposal_for(
    content: bytes,
    name: str,
    answers: Answers,
    sites: Collection[str] = FLEET,
    zone: ZoneInfo = LONDON,
) -> Proposal:
    sample = sample_of(BytesIO(content), name)
    return propose(sample, answers, is_site=set(sites).intersection, zone=zone, now=NOW)


def asked_in_turn(
    content: bytes, name: str, answers: Answers, changes: Answers
) -> tuple[list[str], Proposal]:
    """All that was asked, one round after another, and the proposal in the end."""
    given: dict[str, Value] = dict(changes)
    asked: list[str] = []
    while questions := [
        each for each in proposal_for(content, name, given).open_questions if each not in given
    ]:
        asked += questions
        given |= {each: answers[each] for each in questions}
    return asked, proposal_for(content, name, given)


class Told(NamedTuple):
    """What a person is asked of a file, with the answers; and what is not asked but must be changed."""

    answers: Answers = MappingProxyType({})
    changes: Answers = MappingProxyType({})


DAY_FIRST = {"formats": "%d-%m-%Y"}
LISBON, AMSTERDAM = {"zone": "Europe/Lisbon"}, {"zone": "Europe/Amsterdam"}
AT_MIDNIGHT = {"date_only": "00:00"}

BY_ITSELF = {
    "01_passiv_solar.csv": Told({"layout": "rows"}),
    "03_stark_portal.csv": Told({"formats": "%d/%m/%y"}),
    "05_edf_types.csv": Told(DAY_FIRST),
    "07_d0010.uff": Told(),
    "08_octopus.csv": Told({"site": "constant", "site_constant": "S1"}),
    "10_enphase.csv": Told(
        {"site": "constant", "site_constant": "S2", "formats": "%m/%d/%Y %H:%M", "label": "start"}
    ),
    "11_sma_daily.csv": Told(
        {"site": "constant", "site_constant": "S1", "value_columns": ("Metering.TotWhOut",)}
    ),
    "14_nem12.csv": Told({}, {"zone": "Australia/Brisbane"}),
    "15_eredes.xlsx": Told({"label": "end", "estimates": "leave"}, LISBON),
    "18_chronograf_WEIR-07.csv": Told(),
    "19_influx_annotated.csv": Told(),
    "20_grafana_wide.csv": Told(),
    "22_liander.csv": Told(DAY_FIRST | AT_MIDNIGHT | {"value_columns": ("reading1", "reading2")}, AMSTERDAM),
    "23_greenchoice.csv": Told(
        {
            "site": "constant",
            "site_constant": "S1",
            "value_columns": ("TerugleveringNormaal", "TerugleveringDal"),
            **AT_MIDNIGHT,
        },
        AMSTERDAM,
    ),
    "24_green_button.zip": Told({"site_constant": "S1"}),
    "26_isolarcloud_PLANT-A_202611.csv": Told({"value_columns": ("PV(kWh)",), "measure": "interval"}),
    "27_solaredge.json": Told(
        {"site": "constant", "site_constant": "S1", "measure": "interval", "label": "start"}
    ),
    "28_fit_reads.xlsx": Told({"formats": "%d/%m/%Y", **AT_MIDNIGHT}),
    "30_p1mon.xlsx": Told(
        {"site": "constant", "site_constant": "S1", "value_columns": ("GELVR_KWH_281", "GELVR_KWH_282")},
        AMSTERDAM,
    ),
    "32_headend_tab.txt": Told({"measure": "register"}),
}


def rows_by(proposal: Proposal, content: bytes, name: str) -> tuple[list[tuple[str, str, str]], list[int]]:
    """What would be stored by a proposal, and the lines that are refused."""
    document = proposal.document()
    step = DECIMALS[document.get("measure", "register")]
    readings, rejected = read(document, content, name)
    stored = [(site, at, str(Decimal(value).quantize(step, ROUND_HALF_UP))) for site, at, value in readings]
    return sorted(stored), [row.line for row in rejected]


@pytest.mark.parametrize("name", PROFILES)
def test_by_the_file_alone_exactly_what_it_does_not_say_is_asked(name: str) -> None:
    content, told = (FILES / name).read_bytes(), BY_ITSELF[name]

    asked, proposal = asked_in_turn(content, name, told.answers, {"feed": "none", **told.changes})

    assert sorted(asked) == sorted(told.answers)
    assert rows_by(proposal, content, name) == (sorted(expected(name)), REFUSED.get(name, []))


RECOGNISED = {
    "01_passiv_solar.csv": ("passiv", Told()),
    "03_stark_portal.csv": ("stark", Told()),
    "05_edf_types.csv": ("edf", Told()),
    "07_d0010.uff": ("d0010", Told()),
    "10_enphase.csv": ("enphase", Told({"site": "constant", "site_constant": "S2"})),
    "11_sma_daily.csv": ("sma", Told({"site": "constant", "site_constant": "S1"})),
    "14_nem12.csv": ("nem12", Told()),
    "19_influx_annotated.csv": ("influx", Told()),
    "24_green_button.zip": ("green_button", Told({"site_constant": "S1"})),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_common_feed_is_recognised_and_asks_less(name: str) -> None:
    content = (FILES / name).read_bytes()
    feed, told = RECOGNISED.get(name, ("", BY_ITSELF[name]))

    asked, proposal = asked_in_turn(content, name, told.answers, told.changes)

    assert proposal.text("feed") == feed
    assert sorted(asked) == sorted(told.answers)
    assert rows_by(proposal, content, name) == (sorted(expected(name)), REFUSED.get(name, []))
