"""Policies by the API."""

from typing import Any

import pytest
from flask import Flask

from tests.fleets import add_site
from tests.people import Answer, Person

ADDRESS = "/api/job-automation/policies/"
SLOW = {"NO_COMS": {"days_threshold": 7}, "groups": ["Schools"], "sites": ["S1"]}


@pytest.fixture
def ada(app: Flask, cast: None) -> Person:
    add_site("S1", group="Schools")
    add_site("S2", group="Schools")
    add_site("S3")
    return Person(app, "ada")


def put(person: Person, name: str, content: Any) -> Answer:
    return person.api("PUT", f"{ADDRESS}{name}/", json=content)


def refusal(answer: Answer) -> dict[str, list[str]]:
    assert answer.status_code == 422
    fields: dict[str, list[str]] = answer.json["fields"]
    return fields


def test_a_policy_is_stored_replaced_as_a_whole_and_deleted(ada: Person) -> None:
    assert ada.api("GET", f"{ADDRESS}Slow/").status_code == 404
    answer = put(ada, "Slow", SLOW)
    assert (answer.status_code, answer.json) == (200, {"name": "Slow", "ZERO_READS": {}, **SLOW})
    assert ada.api("GET", f"{ADDRESS}Slow/").json == answer.json

    less = {"name": "Slow", "NO_COMS": {}, "ZERO_READS": {"enabled": False}, "groups": [], "sites": ["S2"]}
    assert put(ada, "Slow", less).json == less
    assert ada.api("GET", ADDRESS).json == {"items": [less], "page": 1, "per_page": 20, "total": 1}

    answer = ada.api("DELETE", f"{ADDRESS}Slow/")
    assert (answer.status_code, answer.data) == (204, b"")
    assert ada.api("DELETE", f"{ADDRESS}Slow/").status_code == 404


def test_a_site_says_each_value_in_force_and_where_it_comes_from(ada: Person) -> None:
    put(ada, "Slow", {"NO_COMS": {"days_threshold": 7, "priority": "low"}, "groups": ["Schools"]})
    put(ada, "urgent", {"NO_COMS": {"priority": "high"}, "sites": ["S1"]})

    found = ada.api("GET", "/api/sites/S1/").json["effective"]

    assert found["NO_COMS"]["days_threshold"] == {"value": 7, "from": "Slow"}
    assert found["NO_COMS"]["priority"] == {"value": "high", "from": "urgent"}
    assert found["NO_COMS"]["enabled"] == {"value": True, "from": "fleet"}
    assert found["ZERO_READS"]["days_to_check"] == {"value": 4, "from": "fleet"}
    of_fleet = ada.api("GET", "/api/sites/S3/").json["effective"]
    assert {value["from"] for section in of_fleet.values() for value in section.values()} == {"fleet"}


@pytest.mark.parametrize(
    ("content", "field", "why"),
    [
        ({"NO_COMS": {"days_threshold": 31}}, "NO_COMS.days_threshold", "Must be at most 30."),
        ({"NO_COMS": {"days_threshold": "7"}}, "NO_COMS.days_threshold", "Must be a whole number."),
        ({"NO_COMS": {"days_threshold": None}}, "NO_COMS.days_threshold", "Must be a whole number."),
        ({"NO_COMS": {"job_type_id": "x"}}, "NO_COMS.job_type_id", "There is no such setting."),
        ({"GUARD": {"guard_share": 5}}, "GUARD", "There is no such setting."),
        (
            {"NO_COMS": {"description_template": "{x}"}},
            "NO_COMS.description_template",
            "Unknown variable {x}.",
        ),
        ({"ZERO_READS": {"days_to_check": 2}}, "ZERO_READS.readings_to_compare", "The rule could never fire"),
        ({"sites": ["S1", "S9"]}, "sites", "Unknown site: S9."),
        ({"groups": [""]}, "groups.0", "Must not be empty."),
        ({"name": "other"}, "name", "Must be the name in the address."),
        ([], None, None),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(
    ada: Person, content: Any, field: str | None, why: str | None
) -> None:
    answer = put(ada, "P", content)
    if field is None:
        assert answer.status_code == 400
    else:
        fields = refusal(answer)
        assert (field in fields, fields.get(field, [""])[0].startswith(why or "")) == (True, True), fields
    assert ada.api("GET", ADDRESS).json["total"] == 0


@pytest.mark.parametrize("name", ["fleet", "Fleet", "done", "rejected", "a b", "\u00e9", "x" * 51])
def test_a_name_that_is_none_is_refused(ada: Person, name: str) -> None:
    assert list(refusal(put(ada, name, {}))) == ["name"]


def test_a_group_or_a_site_has_at_most_one_and_names_differ_by_more_than_case(ada: Person) -> None:
    put(ada, "Slow", SLOW)
    assert refusal(put(ada, "other", {"groups": ["Schools"], "sites": ["S1"]})) == {
        "groups": ["Schools has the policy Slow already."],
        "sites": ["S1 has the policy Slow already."],
    }
    assert refusal(put(ada, "SLOW", {})) == {"name": ["There is a policy Slow already."]}
    assert put(ada, "other", {"groups": ["nobody has it"]}).status_code == 200


def test_the_fleets_settings_cannot_be_changed_into_what_contradicts_a_policy(ada: Person) -> None:
    put(ada, "Short", {"ZERO_READS": {"days_to_check": 3}, "groups": ["Schools"]})
    fields = refusal(
        ada.api("PUT", "/api/job-automation/settings/", json={"ZERO_READS": {"readings_to_compare": 4}})
    )
    assert fields["ZERO_READS.readings_to_compare"][0].startswith("Policy Short: The rule could never fire")


def test_values_of_a_site_and_its_group_that_contradict_each_other_are_refused(ada: Person) -> None:
    put(ada, "Short", {"ZERO_READS": {"days_to_check": 3}, "groups": ["Schools"]})
    fields = refusal(put(ada, "many", {"ZERO_READS": {"readings_to_compare": 4}, "sites": ["S1"]}))
    assert fields["ZERO_READS.readings_to_compare"][0].startswith("At S1: The rule could never fire")
    assert put(ada, "many", {"ZERO_READS": {"readings_to_compare": 4}, "sites": ["S3"]}).status_code == 200
