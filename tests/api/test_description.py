"""The API's description covers every door, and a client that believes it finds no answer outside it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from tests.api.test_doors import DOORS
from tests.fleets import add_site
from tests.people import Person
from tests.processes import environment, gunicorn

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = 12


def test_every_door_is_described_with_its_answers(app: Flask, vera: Person) -> None:
    document = vera.api("GET", "/api/openapi.json").json
    operations = {
        (method.upper(), path): operation
        for path, of_path in document["paths"].items()
        for method, operation in of_path.items()
    }
    described = {door: operation["responses"] for door, operation in operations.items()}
    doors = {
        (method, re.sub("<(int:|site_id:)?([a-z_]+)>", r"{\2}", rule))
        for method, rule in DOORS
        if rule != "/api/openapi.json"
    }
    assert set(described) == doors
    assert all({"401", "403"} <= set(answers) for answers in described.values())
    assert all(set(answers) & {"200", "204"} for answers in described.values())
    with_body = {door for door in doors if door[0] in ("PUT", "PATCH")}
    assert [door for door in with_body if "requestBody" not in operations[door]] == []


def test_the_settings_are_described_by_the_schema_that_validates_them(app: Flask, vera: Person) -> None:
    schemas = vera.api("GET", "/api/openapi.json").json["components"]["schemas"]
    days = schemas["NoComsSettings"]["properties"]["days_threshold"]
    assert (days["minimum"], days["maximum"], days["default"]) == (1, 30, 3)


SITE: dict[str, object] = {
    "site_id": "S1",
    "site_name": "Site 1",
    "monitored_from": "2026-01-31",
    "active": True,
    "group": "North",
    "source": "gw-1",
    "capacity_kwp": 4.5,
    "measure": "register",
    "counts": "up",
}
READING: dict[str, object] = {
    "site_id": "S1",
    "reading_date": "2026-01-31T12:00Z",
    "reading_value": 1.5,
    "quality": "estimated",
}


@pytest.mark.parametrize(
    ("schema", "path", "row"), [("SiteIn", "/api/sites/", SITE), ("ReadingIn", "/api/readings/", READING)]
)
def test_a_row_is_described_with_all_that_is_taken_of_it_and_others_are_named(
    app: Flask, oscar: Person, schema: str, path: str, row: dict[str, object]
) -> None:
    document = oscar.api("GET", "/api/openapi.json").json
    described = document["components"]["schemas"][schema]
    assert (described["properties"].keys(), described.get("additionalProperties", True)) == (row.keys(), True)

    add_site("S1")
    answer = oscar.api("POST", path, json=[row | {"note": "x"}]).json
    assert (answer["rejected"], answer["ignored_columns"]) == (0, ["note"])


@pytest.mark.process
def test_a_client_that_tries_everything_finds_no_fault(
    app: Flask, database_uri: str, tmp_path: Path, ada: Person
) -> None:
    add_site("S1")
    hooks = environment(database_uri, tmp_path, SCHEMATHESIS_HOOKS="tests.api.schemathesis_hooks")
    with gunicorn(environment(database_uri, tmp_path, JOBAUTO_SCHEDULER_ENABLED="false")) as (_, address):
        found = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                *("run", f"{address}/api/openapi.json"),
                *("--header", f"Authorization: Bearer {ada.token}"),
                *("--checks", CHECKS),
                *("--max-examples", str(EXAMPLES)),
                *("--generation-database", "none"),
                "--no-color",
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=tmp_path,
            env=hooks,
        )
    assert found.returncode == 0, found.stdout + found.stderr
