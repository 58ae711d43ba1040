"""Whatever the program lets people save comes back: one text of one person would cost all of a backup."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.models import User
from jobauto.storage.connections import write
from tests.backup.everything import put_back, taken
from tests.pages.reading import form_of
from tests.people import Person
from tests.profiles.test_documents import PLAIN


@pytest.mark.unsound
def test_what_a_restore_would_refuse_is_told_when_it_is_backed_up(
    app: Flask, cast: None, tmp_path: Path
) -> None:
    """And not when it is needed. The file is there all the same: what is wrong can be mended in it."""
    with write() as session:
        session.execute(update(User).values(role="owner"))
    result = app.test_cli_runner().invoke(args=["backup", str(tmp_path / "all.gz")])
    assert (result.exit_code, (tmp_path / "all.gz").exists()) == (1, True)
    assert "a restore would refuse it: A value of user.role is not one" in result.output


def test_a_run_by_somebody_with_a_long_name(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "x" * 150)
    assert app.test_cli_runner().invoke(args=["run-daily-job-automation"]).exit_code == 0
    put_back(taken(), replace=True)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"source": None, "expected_hours": None}, id="what is not given, spelled out"),
        pytest.param({"source": r"\u0000"}, id="what reads like NUL in JSON"),
        pytest.param({"source": r"C:\\u0000"}, id="the same behind another backslash"),
    ],
)
def test_a_profile(app: Flask, oscar: Person, more: dict[str, Any]) -> None:
    assert oscar.api("PUT", "/api/profiles/F/", json=PLAIN | more).status_code == 200
    put_back(taken(), replace=True)
    assert Person(app, "oscar").api("GET", "/api/profiles/F/").json == PLAIN | more


@pytest.mark.parametrize(
    ("job", "seen"),
    [
        pytest.param("0", "", id="a number that no job has"),
        pytest.param("2", "no\0body", id="a name with NUL"),
        pytest.param("2", "x" * 101, id="a name that is too long"),
    ],
)
def test_what_a_form_says_of_the_list_of_jobs(app: Flask, oscar: Person, job: str, seen: str) -> None:
    form = {"job": job, f"seen_assignee_{job}": seen, "action": "priority", "priority": "high"}
    assert oscar.post("/jobs/", **form).status_code == 302
    put_back(taken(), replace=True)


def test_where_a_form_led_that_named_a_view_far_too_long_to_be_kept(app: Flask, vera: Person) -> None:
    form = form_of(vera.get("/account")) | {"action": "keep", "name": "all", "query": "q=" + "🌞" * 50_000}
    answer = vera.client.post("/jobs/view", data=form, content_type="multipart/form-data")
    assert answer.status_code == 302
    put_back(taken(), replace=True)
