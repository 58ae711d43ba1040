"""What the rules say of one site, in sentences."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from flask import Flask

from jobauto.extensions import db
from jobauto.models import Site
from jobauto.rules.moment import Moment
from jobauto.settings.schema import Settings
from jobauto.sites.queries import verdicts
from tests.fleets import NOON, add_site, daily, days_before
from tests.sites.readings import LONDON

FALLS = {3.9: 5, 3: 48_507_000.5, 2.5: 0, 2: 48_507_054.06, 1: 0, 0.5: 0, 0: 48_507_059.06}


def said(sent: Mapping[float, object], **no_coms: object) -> dict[str, str]:
    """What each rule says at noon of a site with readings of so many days before, by the rule's name."""
    key = add_site(readings={days_before(days): kwh for days, kwh in sent.items()})
    site = db.session.get_one(Site, key)
    settings = Settings().changed({"NO_COMS": no_coms})
    return {found.rule: found.text for found in verdicts(site, settings, Moment(NOON, LONDON))}


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        pytest.param({2: 1, 1: 2, 0: "3.50"}, "3 readings since 29 Mar, up 2.50 kWh.", id="rises"),
        pytest.param(
            {3: 9, 2: 1, 1: 2, 0: 11},
            "4 readings since 28 Mar, from 9.00 to 11.00 kWh. The register fell once, by 8.00 kWh.",
            id="falls",
        ),
        pytest.param(
            {5: 9, 2: 1, 1: 2, 0: 3},
            "3 readings since 29 Mar, from 1.00 to 3.00 kWh. The register fell once, by 8.00 kWh.",
            id="fell to its first reading",
        ),
        pytest.param(
            FALLS,
            "7 readings since 27 Mar, from 5.00 to 48,507,059.06 kWh. The register fell 2 times, "
            "by up to 48,507,054.06 kWh, and 3 readings of 0.00 came in.",
            id="falls to zero and back",
        ),
        pytest.param(
            {2: "1.00", 1: "0.99", 0: "3.00"},
            "3 readings since 29 Mar, up 2.00 kWh. The register fell once, by 0.01 kWh: that is no fault.",
            id="creeps back",
        ),
        pytest.param(
            {3.99: 1, 3.57: 2}, "2 readings since 27 Mar, none in the last 3 days, up 1.00 kWh.", id="silent"
        ),
        pytest.param(
            {3.9: 1, 3.8: 1, 3.57: 1},
            "3 readings since 27 Mar, none in the last 3 days, all within less than 36 hours: "
            "too short a time to tell.",
            id="silent and flat",
        ),
        pytest.param({1.7: 1, 1.6: 1}, "2 readings since 29 Mar, none in the last 38 hours, 3 are needed.",
                     id="silent for less than two days"),
        pytest.param({}, "No readings in the last 4 days, 3 are needed.", id="nothing"),
    ],
)  # fmt: skip
def test_zero_reads_names_falls_and_silences_when_it_flags_nothing(
    app: Flask, sent: dict[float, object], sentence: str
) -> None:
    assert said(sent)["zero_reads"] == sentence


def test_no_coms_names_the_silence_that_it_does_not_flag_yet(app: Flask) -> None:
    assert said({4.9: 1, 3.57: 2}, days_threshold=5)["no_coms"] == (
        "2 readings since 26 Mar, none in the last 3 days, the last one at 2026-03-27 22:19."
    )


def test_all_readings_of_a_window_are_counted(app: Flask) -> None:
    key = add_site(readings=daily(range(10)) | {NOON - timedelta(minutes=number): 9 for number in range(439)})
    found = verdicts(db.session.get_one(Site, key), Settings(), Moment(NOON, LONDON))
    assert found[0].text.startswith("441 readings since 29 Mar")
