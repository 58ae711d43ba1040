"""What is wrong between settings, unknown names, and changes that are made whole or not at all."""

from typing import Any

import pytest

from jobauto.settings.schema import Settings, SettingsError

NEVER = "The rule could never fire: readings to compare must not exceed days to check."
UNKNOWN = "There is no such setting."
NO_OBJECT = "Must be an object of settings."


def wrong(changes: Any) -> dict[str, list[str]]:
    """What is wrong with changes of the default settings; nothing if they are right."""
    try:
        Settings().changed(changes, strict=True)
    except SettingsError as error:
        return error.fields
    return {}


@pytest.mark.parametrize(
    ("days", "readings", "right"), [(2, 2, True), (3, 2, True), (2, 3, False), (9, 10, False), (10, 10, True)]
)
def test_both_fields_of_a_rule_that_could_never_fire_are_named(days: int, readings: int, right: bool) -> None:
    found = wrong({"ZERO_READS": {"days_to_check": days, "readings_to_compare": readings}})

    pair = {"ZERO_READS.readings_to_compare": [NEVER], "ZERO_READS.days_to_check": [NEVER]}
    assert found == ({} if right else pair)


def test_half_of_a_pair_is_judged_with_the_other_half_as_it_stands() -> None:
    assert set(wrong({"ZERO_READS": {"days_to_check": 2}})) == {
        "ZERO_READS.days_to_check",
        "ZERO_READS.readings_to_compare",
    }
    assert wrong({"ZERO_READS": {"readings_to_compare": 4}}) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"NO_COMS": {"job_type_id": "zero_reads"}},
        {"ZERO_READS": {"job_type_id": "no_coms"}},
        {"NO_COMS": {"job_type_id": "visit"}, "ZERO_READS": {"job_type_id": "visit"}},
    ],
    ids=["no_coms", "zero_reads", "both"],
)
def test_both_job_types_are_named_when_they_are_equal(changes: dict[str, Any]) -> None:
    assert list(wrong(changes)) == ["NO_COMS.job_type_id", "ZERO_READS.job_type_id"]


def test_the_rules_may_exchange_their_job_types() -> None:
    assert wrong({"NO_COMS": {"job_type_id": "zero_reads"}, "ZERO_READS": {"job_type_id": "no_coms"}}) == {}


def test_every_wrong_field_is_told_at_once() -> None:
    found = wrong({"NO_COMS": {"days_threshold": 0, "priority": "x"}, "SCHEDULE": {"run_time": "noon"}})

    assert set(found) == {"NO_COMS.days_threshold", "NO_COMS.priority", "SCHEDULE.run_time"}


def test_contradictions_and_templates_are_told_at_once() -> None:
    found = wrong(
        {
            "NO_COMS": {"job_type_id": "zero_reads", "description_template": "{"},
            "ZERO_READS": {"days_to_check": 2, "description_template": "{last_reading}"},
        }
    )

    assert set(found) == {
        "NO_COMS.job_type_id",
        "NO_COMS.description_template",
        "ZERO_READS.job_type_id",
        "ZERO_READS.days_to_check",
        "ZERO_READS.readings_to_compare",
        "ZERO_READS.description_template",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"NO_COMS": {"days": 3}}, {"NO_COMS.days": [UNKNOWN]}, id="a field"),
        pytest.param(
            {"NO_COMS": {"days_to_check": 4}}, {"NO_COMS.days_to_check": [UNKNOWN]}, id="not its own"
        ),
        pytest.param({"NO_COMS": {"title": "x"}}, {"NO_COMS.title": [UNKNOWN]}, id="a name inside"),
        pytest.param({"NO_COMS": {"a{b}%s": 1}}, {"NO_COMS.a{b}%s": [UNKNOWN]}, id="braces"),
        pytest.param({"NO_COMS": {"": 1}}, {"NO_COMS.": [UNKNOWN]}, id="an empty name"),
        pytest.param({"ALARMS": {}}, {"ALARMS": [UNKNOWN]}, id="a section"),
        pytest.param({"no_coms": {"days_threshold": 5}}, {"no_coms": [UNKNOWN]}, id="small letters"),
        pytest.param({"days_threshold": 5}, {"days_threshold": [UNKNOWN]}, id="without a section"),
        pytest.param({"message": "Settings updated"}, {"message": [UNKNOWN]}, id="an answer sent back"),
        pytest.param({"NO_COMS": None}, {"NO_COMS": [NO_OBJECT]}, id="null for a section"),
        pytest.param({"NO_COMS": []}, {"NO_COMS": [NO_OBJECT]}, id="a list for a section"),
        pytest.param({"NO_COMS": "on"}, {"NO_COMS": [NO_OBJECT]}, id="text for a section"),
        pytest.param({}, {}, id="nothing"),
        pytest.param({"NO_COMS": {}}, {}, id="nothing of a section"),
    ],
)
def test_an_unknown_setting_is_an_error(changes: Any, expected: dict[str, list[str]]) -> None:
    assert wrong(changes) == expected


def test_the_defaults_are_those_of_the_contract() -> None:
    rule = {
        "enabled": True,
        "check_duplicate": True,
        "priority": "medium",
        "queue": "",
        "instructions": "",
        "initial_status": "open",
        "auto_close_recovered": False,
        "reopen_after_days": 0,
    }
    assert Settings().document() == {
        "NO_COMS": {
            **rule,
            "job_type_id": "no_coms",
            "description_template": "No readings from {site_name} (last reading: {last_reading})",
            "days_threshold": 3,
        },
        "ZERO_READS": {
            **rule,
            "job_type_id": "zero_reads",
            "description_template": "No generation increase for {zero_count} days at {site_name}",
            "days_to_check": 4,
            "readings_to_compare": 3,
            "min_increase": 0.0,
        },
        "GUARD": {
            "guard_enabled": True,
            "guard_share": 50,
            "guard_min_sites": 20,
            "incident_enabled": True,
            "incident_share": 50,
            "incident_min_sites": 5,
        },
        "READINGS": {"fall_tolerance": 1.0},
        "SCHEDULE": {"run_time": "06:00", "timezone": "Europe/London", "schedule_enabled": True},
    }


def test_a_part_leaves_the_rest_as_it_was() -> None:
    changed = (
        Settings().changed({"NO_COMS": {"days_threshold": 7}}).changed({"SCHEDULE": {"run_time": "05:00"}})
    )

    expected = Settings().document()
    expected["NO_COMS"]["days_threshold"] = 7
    expected["SCHEDULE"]["run_time"] = "05:00"
    assert changed.document() == expected
