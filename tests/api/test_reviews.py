"""Readings in doubt, and recorded meter changes, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from jobauto.clock import utcnow
from tests.fleets import add_site
from tests.people import Person
from tests.readings.doubts import add_classified, meters, qualities, review_id

REVIEWS = "/api/readings/reviews/"
CHANGES = "/api/sites/S1/meter-changes/"


def test_a_review_is_told_with_the_good_values_beside_it(app: Flask, vera: Person) -> None:
    key = add_classified("S1", [100, 101, 0, 102])

    assert vera.api("GET", REVIEWS).json["items"] == [
        {
            "id": review_id(key),
            "site_id": "S1",
            "kind": "glitch",
            "from": "2026-03-30T12:00:00Z",
            "to": "2026-03-30T12:00:00Z",
            "readings": 1,
            "before": "101.00",
            "first": "0.00",
            "last": "0.00",
            "after": "102.00",
            "state": "decided",
            "decision": "wrong",
            "decided_by": None,
            "decided_at": None,
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["S2", "S1"]),
        ({"state": "open"}, ["S2"]),
        ({"kind": "glitch"}, ["S1"]),
        ({"site_id": "S2"}, ["S2"]),
        ({"state": "decided", "site_id": "S2"}, []),
    ],
)
def test_reviews_are_filtered(app: Flask, vera: Person, query: dict[str, str], found: list[str]) -> None:
    add_classified("S1", [100, 101, 0, 102])
    add_classified("S2", [100, 101, 0, 0])

    items = vera.api("GET", REVIEWS, query_string=query).json["items"]

    assert [item["site_id"] for item in items] == found


def test_an_operator_decides_and_takes_it_back(app: Flask, oscar: Person) -> None:
    key = add_classified("S1", [100, 101, 0, 0])
    address = f"{REVIEWS}{review_id(key)}/"

    answer = oscar.api("PATCH", address, json={"decision": "new_meter"})
    assert (answer.status_code, answer.json["state"], answer.json["decided_by"]) == (200, "decided", "oscar")
    assert qualities(key) == "gggg"

    answer = oscar.api("PATCH", address, json={"decision": None})
    assert (answer.status_code, answer.json["state"], answer.json["decided_by"]) == (200, "open", None)
    assert qualities(key) == "ggdd"


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [(1, {"decision": "right"}, 404), (1, {"decision": "maybe"}, 422), (1, {}, 422), (1, [], 400)],
)
def test_what_cannot_be_decided_is_refused(
    app: Flask, oscar: Person, number: int, body: Any, status: int
) -> None:
    assert oscar.api("PATCH", f"{REVIEWS}{number}/", json=body).status_code == status


def test_a_meter_change_is_recorded_listed_and_taken_back(app: Flask, oscar: Person) -> None:
    key = add_classified("S1", ["45210.33", 0, "3.10"])
    body = {"changed_at": "2026-03-30T00:00Z", "closing": "45212.5", "opening": 0, "serial": " A1 "}

    recorded = oscar.api("POST", CHANGES, json=body)

    told = {"changed_at": "2026-03-30T00:00:00Z", "closing": "45212.50", "opening": "0.00", "serial": "A1"}
    assert (recorded.status_code, recorded.json) == (200, {"id": recorded.json["id"], **told})
    assert oscar.api("GET", CHANGES).json["items"] == [recorded.json]
    assert meters(key) == [0, 1, 1]

    address = f"{CHANGES}{recorded.json['id']}/"
    assert [oscar.api("DELETE", address).status_code for _ in range(2)] == [204, 404]
    assert (oscar.api("GET", CHANGES).json["total"], meters(key)) == (0, [0, 0, 0])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"changed_at": "yesterday"}, "changed_at"),
        ({}, "changed_at"),
        ({"changed_at": "2026-03-30T00:00Z", "closing": "1.234"}, "closing"),
        ({"changed_at": "2026-03-30T00:00Z", "opening": 10**12}, "opening"),
        ({"changed_at": "2026-03-30T00:00Z", "serial": "x" * 51}, "serial"),
        ({"changed_at": "2026-03-30T00:00Z", "serial": "A1\nA2"}, "serial"),
        ({"changed_at": f"{utcnow() + timedelta(days=2):%Y-%m-%dT%H:%MZ}"}, "changed_at"),
    ],
)
def test_what_cannot_be_recorded_is_named(app: Flask, oscar: Person, body: Any, field: str) -> None:
    add_classified("S1", [1])

    answer = oscar.api("POST", CHANGES, json=body)

    assert (answer.status_code, list(answer.json["fields"])) == (422, [field])


def test_an_interval_site_has_no_meter_changes(app: Flask, oscar: Person) -> None:
    add_site("S1", measure="interval")

    assert oscar.api("POST", CHANGES, json={"changed_at": "2026-03-30T00:00Z"}).status_code == 422
