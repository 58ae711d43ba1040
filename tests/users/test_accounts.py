"""Changing accounts: sessions, tokens, and the admin who must not be lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit import queries as audit
from jobauto.audit.service import Author
from jobauto.auth import service as auth
from jobauto.auth.tokens import NewToken, by_token
from jobauto.clock import utcnow
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.models import ApiToken, User
from jobauto.users import service
from tests.fleets import NOON
from tests.people import Person
from tests.processes import PATIENCE
from tests.racing import both_before_either_commits

ADA = Author("ada", NOON)


def test_the_last_admin_keeps_the_role_and_stays_active(app: Flask, cast: None) -> None:
    with pytest.raises(InvalidInput, match="last active admin"):
        service.set_role("ada", "viewer", author=ADA)
    with pytest.raises(InvalidInput, match="last active admin"):
        service.set_active("ada", False, author=ADA)

    ada = auth.by_name("ada")
    assert (ada.role, ada.active) == ("admin", True)
    assert db.session.scalars(audit.events_for("user", "ada")).all() == []


def test_two_admins_who_take_the_role_from_each_other_at_once_leave_one(app: Flask, cast: None) -> None:
    service.set_role("oscar", "admin", author=ADA)

    def demote(name: str) -> str:
        with app.app_context():
            try:
                service.set_role(name, "viewer", author=ADA)
            except InvalidInput:
                return "refused"
            finally:
                db.session.remove()
            return "done"

    with both_before_either_commits("user"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, ["ada", "oscar"], timeout=PATIENCE)) == ["done", "refused"]

    db.session.rollback()
    assert len(db.session.scalars(select(User).where(User.role == "admin", User.active)).all()) == 1


def test_a_deactivated_user_can_neither_log_in_nor_use_a_session_or_a_token(
    app: Flask, ada: Person, oscar: Person
) -> None:
    service.set_active("oscar", False, author=ADA)

    assert oscar.get("/jobs/").status_code == 302
    assert oscar.api("GET", "/api/jobs/").status_code == 401


def test_a_new_password_ends_the_sessions_but_not_the_tokens(app: Flask, oscar: Person) -> None:
    auth.set_password("oscar", "a new long password", ADA)

    assert oscar.get("/jobs/").status_code == 302
    assert oscar.api("GET", "/api/jobs/").status_code == 200


def test_a_revoked_token_is_worth_nothing_and_somebody_elses_cannot_be_revoked(
    app: Flask, ada: Person, oscar: Person
) -> None:
    token_id = db.session.scalars(select(ApiToken.id).join(User).where(User.username == "oscar")).one()

    with pytest.raises(InvalidInput, match="no such token"):
        service.revoke_token(token_id, author=Author("vera", NOON), owner="vera")
    service.revoke_token(token_id, author=Author("oscar", NOON), owner="oscar")

    assert oscar.api("GET", "/api/jobs/").status_code == 401


def test_changes_of_accounts_are_in_the_audit_log_without_the_secrets(app: Flask, cast: None) -> None:
    auth.create_user("Nina", "another long one", "viewer", ADA)
    auth.set_password("nina", "yet another long one", ADA)
    token = auth.issue_token("nina", NewToken("laptop"), ADA)
    service.set_role("nina", "operator", author=ADA)

    events = db.session.scalars(audit.events_matching(who="ada")).all()
    told = [(e.subject, e.subject_id, e.field, e.before, e.after) for e in reversed(events)]
    assert told == [
        ("user", "nina", "created", None, "viewer"),
        ("user", "nina", "password", None, "changed"),
        ("token", "nina", "created", None, "laptop"),
        ("user", "nina", "role", "viewer", "operator"),
    ]
    assert token not in str(told)


def test_the_use_of_a_token_is_noted_at_most_once_an_hour(app: Flask, cast: None) -> None:
    token = auth.issue_token("vera", NewToken("scripts"), ADA)
    times = [utcnow()]
    by_token(token, times[0])
    first = db.session.scalars(select(ApiToken.last_used_at)).all()
    by_token(token, utcnow())

    assert db.session.scalars(select(ApiToken.last_used_at)).all() == first == times
