"""A stored value that can no longer be read counts as its default, is named, and stops nothing."""

from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, dry_run, run
from jobauto.extensions import db
from jobauto.models import SettingsVersion
from jobauto.settings import service
from jobauto.settings.schema import Settings
from jobauto.settings.stored import read_stored
from jobauto.work.slots import tick
from tests.fleets import add_one_fault_of_each_rule
from tests.pages.reading import form_of, words
from tests.people import Person

MARS = {"SCHEDULE": {"timezone": "Mars/Olympus"}}
OTHERS = {"NO_COMS": {"days_threshold": 7}}


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(OTHERS, [], id="all can be read"),
        pytest.param(MARS, ["SCHEDULE.timezone"], id="a zone that this machine does not know"),
        pytest.param(
            {"NO_COMS": {"days_threshold": 31}}, ["NO_COMS.days_threshold"], id="a limit is tighter"
        ),
        pytest.param(
            {"GUARD": {"guard_share": None}}, ["GUARD.guard_share"], id="nothing where a number was"
        ),
        pytest.param(
            MARS | {"GUARD": {"guard_share": 0}}, ["GUARD.guard_share", "SCHEDULE.timezone"], id="two"
        ),
        pytest.param({"ZERO_READS": {"gone": 1}}, ["ZERO_READS.gone"], id="a setting that is no more"),
        pytest.param({"TIDES": {"height": 1}}, ["TIDES"], id="a section that is no more"),
        pytest.param({"NO_COMS": 3}, ["NO_COMS"], id="no section"),
        pytest.param(
            {"ZERO_READS": {"days_to_check": 3, "readings_to_compare": 5}},
            ["ZERO_READS.days_to_check", "ZERO_READS.readings_to_compare"],
            id="two that contradict each other",
        ),
        pytest.param(
            {"ZERO_READS": {"days_to_check": 31, "readings_to_compare": 5}},
            ["ZERO_READS.days_to_check", "ZERO_READS.readings_to_compare"],
            id="one that contradicts the default of another",
        ),
        pytest.param(
            {"NO_COMS": {"description_template": "{tide}"}},
            ["NO_COMS.description_template"],
            id="a variable that is no more",
        ),
        pytest.param([1], ["settings"], id="no object"),
    ],
)
def test_what_cannot_be_read_is_named(document: Any, fields: list[str]) -> None:
    settings, unreadable = read_stored(document)
    assert sorted(value.field for value in unreadable) == sorted(fields)
    if fields:
        assert settings == Settings()


def test_what_can_be_read_stays() -> None:
    settings, (zone,) = read_stored(MARS | OTHERS)
    assert settings == Settings.parsed(OTHERS)
    assert (zone.field, zone.value) == ("SCHEDULE.timezone", "Mars/Olympus")


NAMES = st.sampled_from(
    [*Settings().document(), *(name for section in Settings().document().values() for name in section)]
)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
JSON = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(document=JSON)
def test_no_document_keeps_the_settings_from_being_read(document: Any) -> None:
    before = deepcopy(document)
    settings, _ = read_stored(document)
    assert Settings.parsed(settings.document()) == settings
    assert document == before


@pytest.fixture
def on_mars(app: Flask) -> None:
    """The stored zone is one that this machine does not know; another setting is not the default."""
    db.session.get_one(SettingsVersion, 1).document = MARS | OTHERS
    db.session.commit()


@pytest.mark.usefixtures("on_mars")
def test_every_page_and_the_check_go_on(ada: Person, stranger: Person) -> None:
    add_one_fault_of_each_rule()
    for address in ("/", "/jobs/", "/sites/", "/runs/", "/settings/", "/import/", "/settings/notifications/"):
        assert ada.get(address).status_code == 200, address
    assert ada.api("GET", "/api/job-automation/settings/").status_code == 200
    assert stranger.get("/healthz").status_code == 200
    parameters = RunParameters(trigger="schedule", slot=utcnow().date())
    assert dry_run(parameters, utcnow).status == "succeeded"
    assert run(parameters, utcnow).status == "succeeded"
    assert tick() is None


@pytest.mark.usefixtures("on_mars")
def test_the_settings_page_names_it_until_somebody_saves(ada: Person) -> None:
    page = words(ada.get("/settings/"))
    assert "1 stored value cannot be read any more" in page
    assert "Schedule: Time zone: Mars/Olympus is stored. Not an IANA time zone" in page
    assert "Europe/London , the default, counts instead." in page

    ada.post("/settings/", **form_of(ada.get("/settings/")))

    page = words(ada.get("/settings/"))
    assert "cannot be read" not in page
    db.session.rollback()
    assert service.current().settings == Settings.parsed(OTHERS)
    (change,) = service.changes()
    assert (change.field, change.before, change.after) == (
        "SCHEDULE.timezone",
        "Mars/Olympus",
        "Europe/London",
    )


@pytest.mark.usefixtures("on_mars")
def test_a_script_changes_another_setting(ada: Person) -> None:
    answer = ada.api("PUT", "/api/job-automation/settings/", json={"GUARD": {"guard_share": 60}})
    assert answer.status_code == 200
    db.session.rollback()
    stored = service.current()
    assert stored.settings == Settings.parsed(OTHERS | {"GUARD": {"guard_share": 60}})
    assert stored.unreadable == ()


@pytest.mark.usefixtures("on_mars")
def test_the_commands_go_on(app: Flask) -> None:
    ended = app.test_cli_runner().invoke(args=["run-daily-job-automation", "--as-of", "2026-11-01T06:00"])
    assert ended.exit_code == 0, ended.output
