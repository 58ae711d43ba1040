"""The settings page."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.settings import service
from jobauto.settings.labels import sections
from jobauto.settings.schema import Settings
from tests.pages.reading import error_beside, form_of, words
from tests.people import Person


def send(person: Person, **typed: str) -> TestResponse:
    """Open the form, type into some fields (``ZERO_READS__days_to_check``), send all of it."""
    form = form_of(person.get("/settings/"))
    return person.client.post(
        "/settings/", data=form | {name.replace("__", "."): v for name, v in typed.items()}
    )


def in_force() -> Settings:
    db.session.rollback()  # else this session goes on seeing the database as it was
    return service.current().settings


def test_a_saved_setting_is_in_force_and_all_others_stay(ada: Person) -> None:
    before = in_force()
    answer = send(ada, ZERO_READS__days_to_check="7")
    assert answer.location == "/settings/"
    assert in_force() == before.changed({"ZERO_READS": {"days_to_check": 7}})
    assert "Settings saved. They take effect from the next run on." in words(ada.get("/settings/"))


def test_a_form_sent_as_it_was_changes_nothing(ada: Person) -> None:
    before = in_force()
    send(ada)
    assert in_force() == before
    assert "Nothing was changed" in words(ada.get("/settings/"))


def test_every_field_shows_its_meaning(ada: Person) -> None:
    page = ada.get("/settings/")
    for name, section in sections():
        for field, info in section.model_fields.items():
            assert f'for="{name}.{field}">{info.title}</label>' in page.text
            assert f'id="{name}.{field}-help"' in page.text
            assert str(info.description) in words(page)


def test_a_number_shows_its_limits(ada: Person) -> None:
    found = re.search(r'<input[^>]*id="ZERO_READS.days_to_check"[^>]*>', ada.get("/settings/").text)
    assert found
    assert 'min="2"' in found[0]
    assert 'max="30"' in found[0]
    assert 'type="number"' in found[0]


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("NO_COMS__days_threshold", "31", "Must be at most 30."),
        ("NO_COMS__days_threshold", "0", "Must be at least 1."),
        ("NO_COMS__days_threshold", "three", "Must be a whole number."),
        ("NO_COMS__days_threshold", "", "Must be a whole number."),
        ("NO_COMS__days_threshold", "9" * 5000, "Must be a whole number, and not so large."),
        ("NO_COMS__priority", "urgent", "Must be one of 'low', 'medium' or 'high'."),
        ("NO_COMS__job_type_id", "No Coms", "Must be 1 to 50 of a-z, 0-9, _ and -."),
        ("NO_COMS__job_type_id", "zero_reads", "Must differ from the job type of Zero Reads."),
        ("NO_COMS__description_template", "", "Must not be empty."),
        ("NO_COMS__description_template", "x" * 501, "Must have at most 500 characters."),
        ("NO_COMS__description_template", "{zero_count}", "Unknown variable {zero_count}."),
        ("NO_COMS__description_template", "{", "Malformed"),
        ("SCHEDULE__run_time", "25:00", "Must be a time like 06:00."),
        ("SCHEDULE__timezone", "Mars/Olympus", "Not an IANA time zone, such as Europe/London."),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_nothing_is_saved(
    ada: Person, field: str, typed: str, why: str
) -> None:
    before = in_force()
    page = send(ada, **{field: typed}, ZERO_READS__days_to_check="9")
    assert page.status_code == 422
    assert error_beside(page, field.replace("__", ".")).startswith(why)
    assert "Nothing was saved" in words(page)
    assert in_force() == before


@pytest.mark.any_engine
@pytest.mark.parametrize("typed", ["31", "three", "", "<b>"])
def test_what_was_typed_is_kept_when_something_is_wrong(ada: Person, typed: str) -> None:
    form = form_of(
        send(ada, ZERO_READS__days_to_check=typed, SCHEDULE__run_time="07:15", NO_COMS__priority="high")
    )
    assert form["ZERO_READS.days_to_check"] == typed
    assert form["SCHEDULE.run_time"] == "07:15"
    assert form["NO_COMS.priority"] == "high"


def test_a_switch_that_was_turned_off_stays_off_when_something_else_is_wrong(ada: Person) -> None:
    form = form_of(ada.get("/settings/")) | {"ZERO_READS.days_to_check": "99"}
    del form["NO_COMS.enabled"]
    page = ada.client.post("/settings/", data=form)
    assert "NO_COMS.enabled" not in form_of(page)
    assert "ZERO_READS.enabled" in form_of(page)


def test_of_two_fields_that_contradict_each_other_both_are_named(ada: Person) -> None:
    page = send(ada, ZERO_READS__days_to_check="3", ZERO_READS__readings_to_compare="5")
    for field in ("ZERO_READS.days_to_check", "ZERO_READS.readings_to_compare"):
        assert error_beside(page, field).startswith("The rule could never fire")


def test_a_line_break_of_a_browser_is_stored_as_one_character(ada: Person) -> None:
    send(ada, NO_COMS__description_template="one\r\ntwo")
    assert in_force().document()["NO_COMS"]["description_template"] == "one\ntwo"


def test_of_two_people_who_save_at_once_the_second_is_told_and_loses_nothing(ada: Person) -> None:
    form = form_of(ada.get("/settings/")) | {"ZERO_READS.days_to_check": "9", "NO_COMS.days_threshold": "8"}
    _somebody_saves(ZERO_READS={"days_to_check": 6}, SCHEDULE={"run_time": "05:00"})
    page = ada.client.post("/settings/", data=form)
    assert page.status_code == 409
    assert in_force().document()["ZERO_READS"]["days_to_check"] == 6
    text = words(page)
    assert "somebody else has changed the settings since you opened this page" in text
    assert "Zero Reads: Days to check 6 9" in text
    assert "No Coms: Days without a reading 3 8" in text
    assert "Time of day 05:00" not in text  # not touched here: theirs is taken
    kept = form_of(page)
    assert (kept["ZERO_READS.days_to_check"], kept["SCHEDULE.run_time"]) == ("9", "05:00")
    assert ada.client.post("/settings/", data=kept).location == "/settings/"
    assert (in_force().document()["ZERO_READS"]["days_to_check"], in_force().schedule.run_time) == (
        9,
        "05:00",
    )


@pytest.mark.parametrize("version", ["0", "99", "-1", "x", "1e9"])
def test_a_version_that_never_was_is_not_saved_over(ada: Person, version: str) -> None:
    page = send(ada, version=version, ZERO_READS__days_to_check="9")
    assert page.status_code == 409
    assert form_of(page)["ZERO_READS.days_to_check"] == "9"
    assert in_force().document()["ZERO_READS"]["days_to_check"] == 4


def test_those_who_are_no_admins_read_the_settings_and_cannot_change_them(
    oscar: Person, vera: Person
) -> None:
    for person in (oscar, vera):
        page = person.get("/settings/")
        controls = re.findall(r"<(?:input|select|textarea)[^>]*name=\"[A-Z_]+\.[^>]*>", page.text)
        assert controls
        assert all(" disabled" in control for control in controls)
        assert "Save settings" not in page.text
        assert "Changing them needs the role admin." in words(page)
        assert send(person, ZERO_READS__days_to_check="7").status_code == 403
    assert in_force().document()["ZERO_READS"]["days_to_check"] == 4


def test_the_history_tells_who_changed_what_from_what_to_what(ada: Person) -> None:
    assert "No changes yet" in words(ada.get("/settings/"))
    send(ada, ZERO_READS__days_to_check="7")
    form = form_of(ada.get("/settings/"))
    del form["NO_COMS.enabled"]
    ada.client.post("/settings/", data=form)
    text = words(ada.get("/settings/"))
    assert "ada Zero Reads: Days to check 4 7" in text
    assert "ada No Coms: Enabled On Off" in text


def test_the_variables_of_a_description_are_listed(ada: Person) -> None:
    text = words(ada.get("/settings/"))
    for name in ("{site_id}", "{last_reading}", "{date_range}", "{total_difference}"):
        assert name in text


def _somebody_saves(**changes: dict[str, Any]) -> None:
    service.save(lambda before: before.changed(changes), by="oscar", now=utcnow())
