"""A token has a scope and an end, and ends with what it was made by: its user's account, or their wish."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit import queries as audit
from jobauto.audit.service import Author
from jobauto.auth import service as auth
from jobauto.auth.tokens import DAYS, MOST_OF_A_USER, NewToken, by_token
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import ApiToken, Event
from jobauto.users import service
from tests.fleets import NOON, add_one_fault_of_each_rule
from tests.pages.reading import error_beside, form_of, words
from tests.people import PASSWORD, Person

ADA = Author("ada", NOON)
JOBS = "/api/jobs/"
NEW = "another good one"


@pytest.mark.parametrize(
    ("days", "later", "is_good"),
    [
        pytest.param(DAYS, timedelta(days=365) - timedelta(seconds=1), True, id="within the year"),
        pytest.param(DAYS, timedelta(days=365), False, id="after the year"),
        pytest.param(1, timedelta(hours=23), True, id="within its day"),
        pytest.param(1, timedelta(hours=24), False, id="after its day"),
    ],
)
def test_a_token_has_an_end(app: Flask, cast: None, days: int, later: timedelta, is_good: bool) -> None:
    token = auth.issue_token("vera", NewToken("logger", days=days), ADA)
    assert (by_token(token, NOON + later) is not None) == is_good


@pytest.mark.parametrize(
    "wanted",
    [
        NewToken(" "),
        NewToken("x" * 101),
        NewToken("x", scope="all"),
        NewToken("x", scope=""),
        NewToken("x", days=0),
        NewToken("x", days=3651),
    ],
    ids=str,
)
def test_a_token_that_there_cannot_be(app: Flask, cast: None, wanted: NewToken) -> None:
    with pytest.raises(auth.TokenRefused):
        auth.issue_token("vera", wanted, ADA)
    with pytest.raises(auth.TokenRefused):
        auth.issue_own_token("vera", wanted, PASSWORD, None, session_id=None)  # type: ignore[arg-type] # it is not asked for
    assert db.session.scalars(select(ApiToken)).all() == []


def test_a_user_has_a_hundred_tokens_at_once_and_whoever_wants_another_revokes_one(vera: Person) -> None:
    for number in range(1, MOST_OF_A_USER):  # one there is already
        auth.issue_token("vera", NewToken(f"logger {number}"), Author("ada", utcnow()))
    another = {"action": "token", "name": "another", "scope": "read", "confirm": PASSWORD}

    refused = vera.post("/account", **another)
    vera.post("/account", action="revoke", token_id="1")

    assert error_beside(refused, "name") == "There are 100 tokens. Revoke one first."
    assert vera.post("/account", **another).status_code == 200


def test_a_token_ends_with_the_account_and_does_not_come_back_with_it(
    app: Flask, ada: Person, oscar: Person
) -> None:
    ada.post("/users/oscar", action="deactivate")
    ada.post("/users/oscar", action="activate")
    assert oscar.api("GET", JOBS).status_code == 401
    assert ada.api("GET", JOBS).status_code == 200
    told = [(event.field, event.after) for event in db.session.scalars(audit.events_for("token", "oscar"))]
    assert told[-1] == ("revoked", "tests")


def test_a_deactivated_user_gets_no_token_that_would_wait_for_the_activation(app: Flask, cast: None) -> None:
    service.set_active("oscar", False, author=ADA)
    with pytest.raises(auth.AccountError, match="deactivated"):
        auth.issue_token("oscar", NewToken("logger"), ADA)


@pytest.mark.parametrize("box", [{}, {"revoke_tokens": "y"}], ids=["unticked", "ticked"])
@pytest.mark.parametrize("whose", ["one's own", "somebody else's"])
def test_a_changed_password_revokes_the_tokens_if_that_is_ticked_as_it_is_at_first(
    ada: Person, vera: Person, box: dict[str, str], whose: str
) -> None:
    typed = {"action": "password", "password": NEW, "once_more": NEW, **box}
    person, address = (vera, "/account") if whose == "one's own" else (ada, "/users/vera")
    assert form_of(person.get(address))["revoke_tokens"] == "y"
    assert person.post(address, current=PASSWORD, **typed).status_code == 302
    assert vera.api("GET", JOBS).status_code == (401 if box else 200)
    assert ada.api("GET", JOBS).status_code == 200


@pytest.mark.parametrize(
    ("confirm", "why"),
    [({}, "Enter your password."), ({"confirm": "wrong wrong"}, "This is not your current")],
)
def test_a_new_token_needs_the_password_however_recent_the_login(
    vera: Person, confirm: dict[str, str], why: str
) -> None:
    before = db.session.scalars(select(ApiToken.id)).all()
    page = vera.post("/account", action="token", name="logger", **confirm)
    assert (page.status_code, "jobauto_" in page.text) == (422, False)
    assert error_beside(page, "confirm-token").startswith(why)
    assert db.session.scalars(select(ApiToken.id)).all() == before


def test_a_token_is_made_with_the_scope_and_the_days_that_were_chosen_and_both_are_shown(
    vera: Person,
) -> None:
    page = vera.post("/account", action="token", name="logger", scope="ingest", days="30", confirm=PASSWORD)
    assert page.status_code == 200
    made = db.session.scalars(select(ApiToken).where(ApiToken.name == "logger")).one()
    assert (made.scope, made.expires_at - made.created_at) == ("ingest", timedelta(days=30))
    assert "Ingest" in words(page)
    assert "in 30 days" in words(page)


def test_days_that_no_token_lasts_are_told_beside_the_field(vera: Person) -> None:
    for days in ("0", "3651", "9" * 310):
        page = vera.post("/account", action="token", name="logger", days=days, confirm=PASSWORD)
        assert page.status_code == 422
        assert error_beside(page, "days")


def test_a_name_that_no_backup_holds_is_told_beside_the_field(vera: Person) -> None:
    """It would stand in the audit log for ever, and no backup could be restored any more."""
    page = vera.post("/account", action="token", name="log\0ger", confirm=PASSWORD)
    assert (page.status_code, "characters" in error_beside(page, "name")) == (422, True)


def test_one_from_before_is_told_of_on_its_owners_page(app: Flask, vera: Person) -> None:
    assert "Tokens from before" not in words(vera.get("/account"))
    db.session.execute(update(ApiToken).values(from_before=True))
    db.session.commit()
    text = words(vera.get("/account"))
    assert "Tokens from before they had a scope and an end" in text
    assert "1 token of yours may do all that you may by the API, until" in text


def test_the_audit_log_names_the_token_that_acted(app: Flask, ada: Person) -> None:
    add_one_fault_of_each_rule()
    number = db.session.scalars(select(ApiToken.id)).one()
    assert (
        ada.api("PUT", "/api/job-automation/settings/", json={"NO_COMS": {"days_threshold": 5}}).status_code
        == 200
    )
    assert ada.api("PATCH", "/api/jobs/1/", json={"note": "New SIM."}).status_code == 200
    site = {"site_id": "silent", "site_name": "Renamed"}
    assert ada.api("POST", "/api/sites/", json=site).json["updated"] == 1
    change(2, JobChange(note="By hand."), by="ada", now=utcnow())
    told = {
        (event.subject, event.token)
        for event in db.session.scalars(select(Event))
        if event.subject != "token"
    }
    token = f"{number} (tests)"
    assert told == {("settings", token), ("job", token), ("site", token), ("job", None)}
    assert f"Token {token}" in words(ada.get("/audit/"))
