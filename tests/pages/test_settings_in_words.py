"""What the settings page says of the rules is what the rules do."""

import re

import pytest
from flask import Flask

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, dry_run
from jobauto.rules.no_coms import NO_COMS, NoComsSettings
from jobauto.rules.zero_reads import ZERO_READS, ZeroReadsSettings
from jobauto.settings import service
from jobauto.settings.policies import Policy
from tests.fleets import NOON, add_site, daily
from tests.pages.reading import words
from tests.people import Person


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("days_to_check", "readings_to_compare"),
    [(days, readings) for days in range(2, 7) for readings in range(2, days + 1)],
)
def test_the_example_of_four_days_comes_out_as_the_page_says(
    app: Flask, ada: Person, days_to_check: int, readings_to_compare: int
) -> None:
    values = {"days_to_check": days_to_check, "readings_to_compare": readings_to_compare}
    service.save(lambda before: before.changed({"ZERO_READS": values}), by="ada", now=utcnow())
    add_site("S1", daily([1234] * 4, NOON))
    fires = bool(dry_run(RunParameters("manual", as_of=NOON, rules=(ZERO_READS,)), utcnow).findings)
    text = words(ada.get("/settings/"))
    assert "daily readings of 1234, 1234, 1234 and 1234 on days 1 to 4, checked on day 4" in text
    assert ("needed, so the site is flagged." in text) == fires
    assert ("needed, so the site is not assessable, and no job is opened." in text) == (not fires)


def test_the_numbers_in_the_words_are_those_of_the_settings() -> None:
    first, second, *_ = ZERO_READS.explained(ZeroReadsSettings(days_to_check=7, readings_to_compare=5))
    assert "the last 7 days (168 hours)" in first
    assert "at least 5 of them, at least 84 hours lie between the first and the last" in second
    assert "in the last 1 day (24 hours)" in NO_COMS.explained(NoComsSettings(days_threshold=1))[0]


def test_energies_have_two_decimals_wherever_settings_stand(ada: Person, run_id: int) -> None:
    values = {"ZERO_READS": {"min_increase": 0.5}}
    service.put_policy(Policy("Creeping", values, sites=("FLAT",)), author=Author("ada", utcnow()))
    assert re.search(r'name="ZERO_READS.min_increase"[^>]* value="0.00"', ada.get("/settings/").text)
    assert "Increase that counts as none, in kWh 0.00" in words(ada.get(f"/runs/{run_id}"))
    assert "Increase that counts as none, in kWh: 0.50" in words(ada.get("/policies/"))
    edited = ada.get("/policies/Creeping").text
    assert re.search(r'name="ZERO_READS.min_increase"[^>]* value="0.50"', edited)


def test_what_comes_of_a_finding_is_told_as_it_stands() -> None:
    assert "unless it has an open job of that type" in NO_COMS.explained(NoComsSettings())[-1]
    assert "in every run" in NO_COMS.explained(NoComsSettings(check_duplicate=False))[-1]
    assert "switched off" in NO_COMS.explained(NoComsSettings(enabled=False))[-1]


def test_what_else_becomes_of_a_job_is_told_where_it_is_set() -> None:
    plain = NO_COMS.explained(NoComsSettings())
    told = NO_COMS.explained(
        NoComsSettings(
            queue="Comms desk", initial_status="in_progress", reopen_after_days=7, auto_close_recovered=True
        )
    )
    assert told[: len(plain)] == plain
    assert told[len(plain) :] == [
        "Its jobs go to the queue Comms desk.",
        "Its jobs start as in progress.",
        "After a person has closed a job while the fault held, 7 days must pass before a new one is opened, "
        "unless the site recovered in between.",
        "A job that nobody has worked on is closed when a run sees that the fault is gone.",
    ]


def test_a_checklist_is_typed_in_lines_and_the_first_status_chosen_in_words(ada: Person) -> None:
    page = ada.get("/settings/").text
    assert '<textarea aria-describedby="NO_COMS.instructions-help"' in page
    assert '<option value="in_progress">In progress</option>' in page


def test_choices_stand_in_their_words_wherever_settings_stand(ada: Person, run_id: int) -> None:
    values = {"NO_COMS": {"initial_status": "on_hold", "priority": "high", "queue": "on_hold"}}
    service.save(lambda before: before.changed(values), by="ada", now=utcnow())
    history = words(ada.get("/settings/")).split("Changes of the settings")[1]
    assert "No Coms: Initial status Open On hold" in history
    assert "No Coms: Priority Medium High" in history
    assert "No Coms: Queue – on_hold" in history  # a name of somebody's own
    assert "Initial status Open" in words(ada.get(f"/runs/{run_id}"))
    assert "No Coms: Initial status: Open → to On hold" in words(ada.get("/audit/"))
    assert "Initial status On hold The fleet" in words(ada.get("/sites/FLAT"))
