"""People, for admins; everybody's own account; and the log of who changed what."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import ApiToken, User
from tests.pages.reading import error_beside, form_of, words
from tests.people import PASSWORD, Person, log_in

NEW_PASSWORD = "another correct horse"


def test_an_account_is_made_and_can_be_used(ada: Person, stranger: Person) -> None:
    ada.post("/users/", username="Nina", role="operator", password=NEW_PASSWORD, once_more=NEW_PASSWORD)
    text = words(ada.get("/users/"))
    assert "Created nina." in text
    assert "nina Operator Active" in text
    assert stranger.post("/login", username="nina", password=NEW_PASSWORD).location == "/login/new-password"


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        ({"username": "ada"}, "username", "There is a user ada already."),
        ({"username": "n n"}, "username", "A user name has 1 to 100 letters"),
        ({"username": ""}, "username", "Enter a name."),
        ({"role": "king"}, "role", "Not a valid choice."),
        (
            {"password": "short", "once_more": "short"},
            "password",
            "A password has at least 8 characters.",
        ),
        ({"once_more": "something else"}, "once_more", "The two passwords differ."),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_with_a_new_account_stands_beside_the_field(
    ada: Person, typed: dict[str, str], field: str, why: str
) -> None:
    given = {"username": "nina", "role": "viewer", "password": NEW_PASSWORD, "once_more": NEW_PASSWORD}
    page = ada.post("/users/", **given | typed)
    assert page.status_code == 422
    assert error_beside(page, field).startswith(why)
    assert NEW_PASSWORD not in page.text


def test_a_role_is_changed_and_kept_in_the_history(ada: Person) -> None:
    assert form_of(ada.get("/users/vera"))["role"] == "viewer"
    ada.post("/users/vera", action="role", role="operator")
    text = words(ada.get("/users/vera"))
    assert "Role: Viewer → to Operator ada," in text


def test_somebody_who_is_deactivated_is_out_at_once_and_can_be_let_in_again(
    ada: Person, oscar: Person
) -> None:
    ada.post("/users/oscar", action="deactivate")
    assert "This account is deactivated" in words(ada.get("/users/oscar"))
    assert oscar.get("/jobs/").status_code == 302
    ada.post("/users/oscar", action="activate")
    assert oscar.get("/jobs/").status_code == 302
    log_in(oscar.client, "oscar")
    assert oscar.get("/jobs/").status_code == 200


def test_a_new_password_for_somebody_ends_their_sessions(
    ada: Person, oscar: Person, stranger: Person
) -> None:
    ada.post("/users/oscar", action="password", password=NEW_PASSWORD, once_more=NEW_PASSWORD)
    assert oscar.get("/jobs/").status_code == 302
    assert stranger.post("/login", username="oscar", password=NEW_PASSWORD).location == "/login/new-password"


@pytest.mark.parametrize("fields", [{"action": "role", "role": "viewer"}, {"action": "deactivate"}])
def test_the_last_admin_is_kept_and_the_page_says_why(ada: Person, fields: dict[str, str]) -> None:
    page = ada.post("/users/ada", **fields)
    assert page.status_code == 409
    assert "This is the last active admin. Make somebody else an admin first." in words(page)
    assert "ada (you) Admin Active" in words(ada.get("/users/"))


def test_an_action_that_does_not_exist_is_not_said_to_be_saved(ada: Person) -> None:
    assert ada.post("/users/vera", action="explode").status_code == 400


def test_somebody_elses_token_is_revoked_by_an_admin(ada: Person, oscar: Person) -> None:
    token_id = form_of(ada.get("/users/oscar"))["token_id"]
    ada.post("/users/oscar", action="revoke", token_id=token_id)
    assert oscar.api("GET", "/api/jobs/").status_code == 401
    assert "No tokens" in words(ada.get("/users/oscar"))


def test_a_user_who_is_not_there_is_not_found(ada: Person) -> None:
    assert ada.get("/users/nobody").status_code == 404


@pytest.mark.parametrize("address", ["/users/", "/users/vera", "/audit/"])
def test_people_and_the_log_are_for_admins(oscar: Person, vera: Person, address: str) -> None:
    assert [person.get(address).status_code for person in (oscar, vera)] == [403, 403]


def test_ones_own_new_password_keeps_this_session_and_ends_the_others(app: Flask, vera: Person) -> None:
    elsewhere = Person(app, "vera")
    answer = vera.post("/account", **_change(PASSWORD, NEW_PASSWORD))
    assert answer.location == "/account"
    assert "Your other sessions have ended." in words(vera.get("/account"))
    assert elsewhere.get("/account").status_code == 302


def test_ones_own_password_needs_the_current_one(vera: Person) -> None:
    page = vera.post("/account", **_change("wrong wrong", NEW_PASSWORD))
    assert page.status_code == 422
    assert error_beside(page, "current") == "This is not your current password."


def test_a_token_is_shown_once_works_and_is_revoked(vera: Person) -> None:
    page = vera.post("/account", action="token", name="logger <1>", confirm=PASSWORD)
    found = re.search(r"jobauto_[\w-]{40,}", page.text)
    assert found
    assert "Copy it now: it is shown this once, and cannot be shown again." in words(page)
    vera.token = found[0]
    assert vera.api("GET", "/api/jobs/").status_code == 200

    later = vera.get("/account")
    assert found[0] not in later.text
    assert "logger <1>" in words(later)
    tokens = re.findall(r'name="token_id" value="(\d+)"', later.text)
    vera.post("/account", action="revoke", token_id=tokens[0])
    assert vera.api("GET", "/api/jobs/").status_code == 401
    assert "logger <1>" not in words(vera.get("/account"))


def test_a_token_needs_a_name(vera: Person) -> None:
    page = vera.post("/account", action="token", name="", confirm=PASSWORD)
    assert page.status_code == 422
    assert error_beside(page, "name") == "Give it a name."
    assert "field-error" in page.text
    assert page.text.count("field-error") == 1


@pytest.mark.parametrize("token_id", ["", "x", "0", "9" * 30])
def test_what_is_no_token_cannot_be_revoked(vera: Person, token_id: str) -> None:
    assert vera.post("/account", action="revoke", token_id=token_id).status_code == 404


def test_somebody_elses_token_cannot_be_revoked(oscar: Person, vera: Person) -> None:
    of_oscar = select(ApiToken.id).join(User).where(User.username == "oscar")
    token_id = db.session.scalars(of_oscar).one()
    assert vera.post("/account", action="revoke", token_id=str(token_id)).status_code == 404
    assert oscar.api("GET", "/api/jobs/").status_code == 200


def test_a_form_in_an_address_counts_for_nothing(vera: Person) -> None:
    assert vera.post("/account?action=token&name=planted").status_code == 404
    assert "planted" not in words(vera.get("/account"))


def test_the_log_tells_who_changed_what_and_is_searched(ada: Person, run_id: int) -> None:
    change(1, JobChange(status="on_hold", note="Waiting for a part."), by="oscar", now=utcnow())
    ada.post("/users/vera", action="role", role="operator")
    ada.post("/sites/FLAT", action="edit", site_name="Flatter roof", active="y")
    text = words(ada.get("/audit/"))
    for told in (
        "oscar Job 1 Waiting for a part.",
        "oscar Job 1 Status: Open → to On hold",
        "ada User vera Role: Viewer → to Operator",
        "ada Site FLAT Site name: Flat roof → to Flatter roof",
    ):
        assert told in text
    assert "ada User" not in words(ada.get("/audit/?who=oscar"))
    assert "Waiting for a part." not in words(ada.get("/audit/?subject=site"))
    assert "1 change" in words(ada.get("/audit/?subject=site&subject_id=FLAT"))
    assert "No change matches" in words(ada.get("/audit/?who=nobody"))


def _change(current: str, new: str) -> dict[str, str]:
    return {"action": "password", "current": current, "password": new, "once_more": new}
