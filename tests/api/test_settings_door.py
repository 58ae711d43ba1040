"""Settings through the API: read by everybody, changed as a whole or in part by an admin."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.extensions import db
from jobauto.models import SettingsVersion
from tests.people import Person

SETTINGS = "/api/job-automation/settings/"


def test_the_defaults_are_those_of_the_contract(app: Flask, vera: Person) -> None:
    assert vera.api("GET", SETTINGS).json == {
        "NO_COMS": {
            "enabled": True,
            "job_type_id": "no_coms",
            "check_duplicate": True,
            "priority": "medium",
            "description_template": "No readings from {site_name} (last reading: {last_reading})",
            "queue": "",
            "instructions": "",
            "initial_status": "open",
            "auto_close_recovered": False,
            "reopen_after_days": 0,
            "days_threshold": 3,
        },
        "ZERO_READS": {
            "enabled": True,
            "job_type_id": "zero_reads",
            "check_duplicate": True,
            "priority": "medium",
            "description_template": "No generation increase for {zero_count} days at {site_name}",
            "queue": "",
            "instructions": "",
            "initial_status": "open",
            "auto_close_recovered": False,
            "reopen_after_days": 0,
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
        "SCHEDULE": {"schedule_enabled": True, "run_time": "06:00", "timezone": "Europe/London"},
    }


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        pytest.param("NO_COMS", {"days_threshold": 1}, id="the least"),
        pytest.param("NO_COMS", {"days_threshold": 30}, id="the most"),
        pytest.param("NO_COMS", {"description_template": "x" * 500}, id="the longest text"),
        pytest.param("NO_COMS", {"description_template": "{{{site_id}}} in {last_reading}"}, id="braces"),
        pytest.param("NO_COMS", {"job_type_id": "a" * 50}, id="the longest type"),
        pytest.param("ZERO_READS", {"days_to_check": 2, "readings_to_compare": 2}, id="the smallest pair"),
        pytest.param("ZERO_READS", {"days_to_check": 30, "readings_to_compare": 10}, id="the largest pair"),
        pytest.param("ZERO_READS", {"enabled": False, "priority": "high"}, id="several at once"),
        pytest.param("SCHEDULE", {"run_time": "23:59", "timezone": "Asia/Kathmandu"}, id="the schedule"),
    ],
)
def test_a_part_can_be_changed_and_the_rest_stays(ada: Person, section: str, changes: dict[str, Any]) -> None:
    before = ada.api("GET", SETTINGS).json
    response = ada.api("PUT", SETTINGS, json={section: changes})
    assert response.status_code == 200
    answer = response.json
    assert answer.pop("message") == "Settings updated successfully"
    assert answer == before | {section: before[section] | changes}
    assert ada.api("GET", SETTINGS).json == answer


def test_the_whole_can_be_sent_back_as_it_came(app: Flask, ada: Person) -> None:
    whole = ada.api("GET", SETTINGS).json
    whole["NO_COMS"]["days_threshold"] = 5
    assert ada.api("PUT", SETTINGS, json=whole).status_code == 200
    assert ada.api("GET", SETTINGS).json == whole
    kept = db.session.scalars(select(SettingsVersion).order_by(SettingsVersion.version)).all()
    assert [version.changed_by for version in kept] == [None, "ada"]


def test_two_that_contradict_each_other_keep_all_others_from_being_changed(ada: Person) -> None:
    before = ada.api("GET", SETTINGS).json
    changes = {"NO_COMS": {"days_threshold": 5}, "ZERO_READS": {"days_to_check": 2}}
    assert ada.api("PUT", SETTINGS, json=changes).status_code == 422
    assert ada.api("GET", SETTINGS).json == before


def test_one_wrong_setting_keeps_all_others_from_being_changed(ada: Person) -> None:
    before = ada.api("GET", SETTINGS).json
    changes = {"NO_COMS": {"days_threshold": 5, "priority": "high"}, "ZERO_READS": {"days_to_check": 99}}
    response = ada.api("PUT", SETTINGS, json=changes)
    assert response.status_code == 422
    assert response.json["fields"] == {"ZERO_READS.days_to_check": ["Must be at most 30."]}
    assert ada.api("GET", SETTINGS).json == before


def test_the_two_rules_types_must_differ_and_both_are_named(ada: Person) -> None:
    response = ada.api("PUT", SETTINGS, json={"NO_COMS": {"job_type_id": "zero_reads"}})
    assert response.status_code == 422
    assert sorted(response.json["fields"]) == ["NO_COMS.job_type_id", "ZERO_READS.job_type_id"]


def test_options_name_the_types_in_force(ada: Person) -> None:
    ada.api("PUT", SETTINGS, json={"NO_COMS": {"job_type_id": "silent"}})
    options = ada.api("GET", "/api/job-automation/options/").json
    assert options == {
        "job_types": [
            {"id": "silent", "name": "No Coms", "code": "silent"},
            {"id": "zero_reads", "name": "Zero Reads", "code": "zero_reads"},
        ],
        "statuses": [
            {"id": "open", "name": "Open", "code": "open"},
            {"id": "in_progress", "name": "In progress", "code": "in_progress"},
            {"id": "on_hold", "name": "On hold", "code": "on_hold"},
            {"id": "closed", "name": "Closed", "code": "closed"},
        ],
        "priority_options": [
            {"value": "low", "label": "Low"},
            {"value": "medium", "label": "Medium"},
            {"value": "high", "label": "High"},
        ],
        "queues": [],
        "task_templates": [],
    }
