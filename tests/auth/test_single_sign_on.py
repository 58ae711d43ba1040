"""Single sign-on by OpenID Connect, against a complete issuer on this machine that may do things wrong."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.service import Author
from jobauto.auth import oidc, service
from jobauto.auth.service import set_password
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Identity, User, UserSession
from jobauto.users import single_sign_on
from tests.auth.issuer import CALLBACK, CLIENT_ID, CLIENT_SECRET, Issuer, issuing
from tests.auth.second_factors import send, set_up
from tests.auth.test_ending_sessions import copy_of
from tests.backup.everything import put_back, taken
from tests.databases import application
from tests.people import PASSWORD, Browser, Person

pytestmark = pytest.mark.usefixtures("cast")

BEGIN = "/login/single-sign-on"
AGAIN = f"{BEGIN}/again"
SET_UP = "/login/second-factor/set-up"
ROLES = "bosses=admin,operators=operator,staff=viewer"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


@pytest.fixture
def app(
    issuer: Issuer, database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The application, with that issuer."""
    for name, value in {
        "INSTANCE_PATH": str(tmp_path),
        "PUBLIC_URL": "https://jobs.example",
        "OIDC_ISSUER": issuer.url,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_ROLES": ROLES,
        "SEND_TO": "127.0.0.0/8",
    }.items():
        monkeypatch.setenv(f"JOBAUTO_{name}", value)
    app = application(database_uri)
    app.test_client_class = Browser
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def at_the_issuer(person: Person, address: str = BEGIN) -> str:
    """Go to the issuer and log in there; where it leads back to, as a path of ours."""
    there = person.get(address)
    assert there.status_code == 302, there.text
    back = requests.get(there.location, allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith(CALLBACK)
    return back.removeprefix("https://jobs.example")


def sign_on(person: Person, address: str = BEGIN) -> Any:
    return person.get(at_the_issuer(person, address))


def is_in(person: Person) -> bool:
    return person.get("/jobs/").status_code == 200


def told(person: Person) -> str:
    return person.get("/login").text


def user(name: str) -> User:
    db.session.rollback()
    return service.by_name(name)


# -- who comes in --------------------------------------------------------------------------------------


def test_somebody_new_is_made_with_the_role_of_the_claim(app: Flask, stranger: Person) -> None:
    answer = sign_on(stranger)
    assert (answer.status_code, answer.location) == (302, "/")
    assert "You are nina, with the role viewer." in stranger.get("/account").text
    assert user("nina").password_hash == "", "nobody has a password for her"


@pytest.mark.parametrize("subject", ["x" * 256, "00\x0001"], ids=["long", "with NUL"])
def test_whoever_has_a_subject_that_cannot_be_kept_does_not_come_in(
    app: Flask, issuer: Issuer, stranger: Person, subject: Any
) -> None:
    """With NUL in it no backup could be restored any more."""
    issuer.who["sub"] = subject
    sign_on(stranger)
    assert "The issuer did not say who you are." in told(stranger)
    assert db.session.scalar(select(Identity)) is None


def test_a_backup_with_a_session_of_whom_the_issuer_does_not_know_since_when_can_be_restored(
    app: Flask, issuer: Issuer
) -> None:
    boss(app, issuer, auth_time=-62135596800)  # what libraries make of a time that nobody has set
    put_back(taken(), replace=True)
    assert user("nina").role == "admin"


# -- a recent login, of who has no password here ---------------------------------------------------------


def boss(app: Flask, issuer: Issuer, **claims: Any) -> Person:
    """An administrator who has come in by the issuer, and has no password here."""
    issuer.who["roles"] = ["bosses"]
    issuer.claims = claims
    person = Person(app, None)
    sign_on(person)
    return person


def seconds_ago(seconds: int) -> int:
    return int(utcnow().timestamp()) - seconds


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"auth_time": seconds_ago(3600)}, id="since an hour ago"),
        pytest.param({}, id="it does not say since when"),
        pytest.param({"auth_time": 10**400}, id="it says nothing that is a time"),
    ],
)
def test_a_login_at_which_the_issuer_asked_nobody_gives_no_power_to_whoever_found_the_screen(
    app: Flask, issuer: Issuer, claims: dict[str, Any]
) -> None:
    person = boss(app, issuer, **claims)
    for address in ("/users/vera", "/users/", "/settings/notifications/", "/account/second-factor"):
        page = person.get(address).text
        assert f'href="{AGAIN}?next={address}"' in page, address
        assert "Your password" not in page, "there is none to type"
    refused = send(person, "/users/vera", action="role", role="admin")
    assert (refused.status_code, f'href="{AGAIN}?next=/users/vera"' in refused.text) == (422, True)
    assert user("vera").role == "viewer"


def test_the_issuer_asks_once_more_and_leads_back_to_the_page(app: Flask, issuer: Issuer) -> None:
    person = boss(app, issuer)
    asked = parse_qs(urlsplit(person.get(AGAIN).location).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert sign_on(person, f"{AGAIN}?next=/users/vera").location == "/users/vera"
    assert AGAIN not in person.get("/users/vera").text
    assert send(person, "/users/vera", action="role", role="operator").status_code == 302
    assert user("vera").role == "operator"


def test_an_issuer_that_asks_nobody_though_it_was_told_to_gives_no_power(app: Flask, issuer: Issuer) -> None:
    person = boss(app, issuer, auth_time=seconds_ago(3600))
    sign_on(person, AGAIN)
    assert send(person, "/users/vera", action="role", role="admin").status_code == 422


def test_whoever_takes_the_question_out_of_the_address_of_the_issuer_gains_no_power(
    app: Flask, issuer: Issuer
) -> None:
    """The browser carries it there: an issuer that is not told to ask says nothing of when, as it may."""
    issuer.metadata = {"claims_supported": ["sub", "auth_time"]}
    person = boss(app, issuer)
    there = urlsplit(person.get(AGAIN).location)
    asked = {
        name: text for name, (text,) in parse_qs(there.query).items() if name not in ("prompt", "max_age")
    }
    back = requests.get(there._replace(query=urlencode(asked)).geturl(), allow_redirects=False, timeout=10)
    person.get(back.headers["Location"].removeprefix("https://jobs.example"))
    assert send(person, "/users/vera", action="role", role="admin").status_code == 422
    assert user("vera").role == "viewer"


def test_who_has_just_proven_themselves_at_the_issuer_is_not_asked_again(app: Flask, issuer: Issuer) -> None:
    person = boss(app, issuer, auth_time=seconds_ago(5))
    assert send(person, "/users/vera", action="role", role="operator").status_code == 302


def test_who_comes_by_the_issuer_and_has_a_password_may_show_who_they_are_by_either(
    app: Flask, issuer: Issuer
) -> None:
    """It may be long ago that they typed it."""
    single_sign_on.connect("ada", issuer.url, "0001", Author(None, utcnow()))
    page = boss(app, issuer).get("/users/vera").text
    assert 'id="confirm-role"' in page
    assert f'href="{AGAIN}?next=/users/vera"' in page


def test_who_logs_in_there_once_more_has_the_session_of_before_no_more(app: Flask, issuer: Issuer) -> None:
    person = boss(app, issuer)
    before = copy_of(app, person)
    sign_on(person, AGAIN)
    assert is_in(person)
    assert not is_in(before)


def test_only_who_is_in_is_led_there_again(app: Flask, stranger: Person) -> None:
    assert stranger.get(AGAIN).location.startswith("/login?next=")


def test_who_has_no_password_makes_a_token_after_a_recent_login_and_no_other(stranger: Person) -> None:
    sign_on(stranger)
    sign_on(stranger, AGAIN)
    made = {"action": "token", "name": "logger", "scope": "read", "days": "30"}
    page = stranger.get("/account").text
    assert "confirm-token" not in page, "there is no password to ask for"
    assert "password-title" not in page, "nor one to change"
    assert "jobauto_" in send(stranger, "/account", **made).text
    db.session.execute(update(UserSession).values(proven_at=utcnow() - timedelta(minutes=11)))
    db.session.commit()
    refused = send(stranger, "/account", **made | {"name": "another"})
    assert (refused.status_code, "Log in again" in refused.text) == (422, True)


def test_who_has_no_password_ends_sessions_of_their_own_after_a_recent_login(
    app: Flask, stranger: Person
) -> None:
    elsewhere = Person(app, None)
    for browser in (stranger, elsewhere):
        sign_on(browser)
    page = stranger.get("/account").text
    (ticked,) = re.findall(r'name="session_id" value="(\d+)"', page)
    assert 'id="confirm"' not in page, "there is no password to ask for"
    db.session.execute(update(UserSession).values(proven_at=utcnow() - timedelta(minutes=11)))
    db.session.commit()
    refused = send(stranger, "/account", action="sessions", session_id=ticked)
    assert (refused.status_code, "Log in again" in refused.text) == (422, True)
    assert is_in(elsewhere)
    db.session.execute(update(UserSession).values(proven_at=utcnow()))
    db.session.commit()
    send(stranger, "/account", action="sessions", session_id=ticked)
    assert (is_in(stranger), is_in(elsewhere)) == (True, False)


def test_the_role_follows_the_claim_at_each_login(app: Flask, issuer: Issuer, stranger: Person) -> None:
    for claim, role in (["staff"], "viewer"), (["staff", "bosses"], "admin"), ("operators", "operator"):
        issuer.who["roles"] = claim
        sign_on(Person(app, None))
        assert user("nina").role == role


@pytest.mark.parametrize("roles", [None, [], ["others"], "", 5, [["bosses"]], {"bosses": 1}])
def test_without_a_role_nobody_comes_in(app: Flask, issuer: Issuer, stranger: Person, roles: Any) -> None:
    issuer.who["roles"] = roles
    assert sign_on(stranger).location == "/login"
    assert "gives you no role" in told(stranger)
    assert not is_in(stranger)
    with pytest.raises(service.AccountError):
        service.by_name("nina")


def test_who_has_lost_the_role_is_out_everywhere(app: Flask, issuer: Issuer, stranger: Person) -> None:
    sign_on(stranger)
    issuer.who["roles"] = []
    sign_on(Person(app, None))
    assert not is_in(stranger)


def test_whose_name_changes_at_the_issuer_stays_who_they_are(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    sign_on(stranger)
    issuer.who["preferred_username"] = "ada"
    again = Person(app, None)
    sign_on(again)
    assert "You are nina" in again.get("/account").text


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_an_equal_name_is_nobodys_account(app: Flask, issuer: Issuer, stranger: Person, name: str) -> None:
    issuer.who |= {"preferred_username": name, "roles": ["bosses"]}
    assert sign_on(stranger).location == "/login"
    assert not is_in(stranger)
    assert "There is a user ada already." in told(stranger)
    assert db.session.query(Identity).count() == 0


def test_an_administrator_connects_an_account_by_the_subject(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    issuer.who["preferred_username"] = "vera"
    done = app.test_cli_runner().invoke(args=["connect-user", "Vera", "0001"])
    assert done.output == f"Connected vera with 0001 at {issuer.url}\n"
    sign_on(stranger)
    assert "You are vera" in stranger.get("/account").text


def test_the_same_subject_of_another_issuer_is_somebody_else(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    single_sign_on.connect("vera", "https://elsewhere.example", "0001", Author("ada", utcnow()))
    sign_on(stranger)
    assert "You are nina" in stranger.get("/account").text


def test_who_is_deactivated_does_not_come_in(app: Flask, ada: Person, stranger: Person) -> None:
    sign_on(stranger)
    ada.post("/users/nina", action="deactivate")
    again = Person(app, None)
    assert sign_on(again).location == "/login"
    assert not is_in(again)
    assert user("nina").active is False


def test_the_last_admin_is_not_lost_to_a_claim(app: Flask, issuer: Issuer, stranger: Person) -> None:
    single_sign_on.connect("ada", issuer.url, "0001", Author("ada", utcnow()))
    assert sign_on(stranger).location == "/login"
    assert "last active admin" in told(stranger)
    assert user("ada").role == "admin"


@pytest.mark.parametrize("name", [None, "", 5, "two words", "x" * 101, "<b>", ["ada"]])
def test_a_name_that_nobody_can_have_is_refused(
    app: Flask, issuer: Issuer, stranger: Person, name: Any
) -> None:
    issuer.who["preferred_username"] = name
    assert sign_on(stranger).location == "/login"
    assert "no name" in told(stranger)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("verified", "comes_in"), [(True, True), (False, False), (None, False), ("true", False), (1, False)]
)
@pytest.mark.parametrize("used_as", ["USERNAME_CLAIM", "ROLE_CLAIM"])
def test_an_address_that_is_not_verified_names_nobody_and_gives_no_role(
    app: Flask, issuer: Issuer, stranger: Person, used_as: str, verified: Any, comes_in: bool
) -> None:
    app.config[f"OIDC_{used_as}"] = "email"
    if used_as == "ROLE_CLAIM":
        app.config["OIDC_ROLES"] = {"nina@staff.example": "viewer"}
    issuer.who |= {"email": "nina@staff.example", "email_verified": verified}
    sign_on(stranger)
    assert is_in(stranger) is comes_in


def test_a_role_may_lie_within_a_claim_and_anybody_may_have_one(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    app.config |= {"OIDC_ROLE_CLAIM": "realm_access.roles", "OIDC_ROLES": {"bosses": "admin", "*": "viewer"}}
    issuer.who |= {"realm_access": {"roles": ["bosses"]}}
    sign_on(stranger)
    assert user("nina").role == "admin"
    issuer.who = {"sub": "0002", "preferred_username": "otto"}
    sign_on(Person(app, None))
    assert user("otto").role == "viewer"


# -- what is not believed ------------------------------------------------------------------------------

NOW = utcnow().timestamp()
WRONG: dict[str, Callable[[Issuer], Any]] = {
    "another nonce": lambda issuer: issuer.claims.update(nonce="made up"),
    "no nonce": lambda issuer: issuer.claims.update(nonce=None),
    "another audience": lambda issuer: issuer.claims.update(aud="another program"),
    "another audience, as if made for us": lambda issuer: issuer.claims.update(
        aud="another program", azp=CLIENT_ID
    ),
    "no audience": lambda issuer: issuer.claims.update(aud=None),
    "ours among several, made for another": lambda issuer: issuer.claims.update(
        aud=["another program", CLIENT_ID], azp="another program"
    ),
    "expired": lambda issuer: issuer.claims.update(exp=int(NOW) - 3600),
    "without an end": lambda issuer: issuer.claims.update(exp=None),
    "not yet valid": lambda issuer: issuer.claims.update(nbf=int(NOW) + 3600),
    "of the future": lambda issuer: issuer.claims.update(iat=int(NOW) + 3600),
    "another issuer's": lambda issuer: issuer.claims.update(iss="https://elsewhere.example"),
    "ours with a slash": lambda issuer: issuer.claims.update(iss=f"{issuer.url}/"),
    "no subject": lambda issuer: issuer.claims.update(sub=None),
    "an empty subject": lambda issuer: issuer.claims.update(sub=""),
    "a subject that is a number": lambda issuer: issuer.claims.update(sub=1),
    "a subject of 256 characters": lambda issuer: issuer.claims.update(sub="x" * 256),
    "for another access token": lambda issuer: issuer.claims.update(at_hash="made up"),
    "unsigned": lambda issuer: setattr(issuer, "sign", issuer.unsigned),
    "signed by the client's secret": lambda issuer: setattr(
        issuer, "sign", issuer.signed_by_the_clients_secret
    ),
    "signed by another": lambda issuer: setattr(issuer, "sign", issuer.signed_by_another),
    "changed": lambda issuer: setattr(issuer, "sign", issuer.signed_with_another_payload),
    "none": lambda issuer: setattr(issuer, "sign", lambda _: ""),
    "no text": lambda issuer: setattr(issuer, "sign", lambda _: 5),
    "no token": lambda issuer: setattr(issuer, "sign", lambda _: "made.up"),
    "nested too deep": lambda issuer: setattr(issuer, "sign", issuer.signed_of_depth),
    "the code of a mixed-up issuer": lambda issuer: issuer.answer.update(iss="https://elsewhere.example"),
    "an issuer that says who it is and then does not": lambda issuer: issuer.metadata.update(
        authorization_response_iss_parameter_supported=True
    ),
}


@pytest.mark.any_engine
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_an_id_token_that_is_not_good_logs_nobody_in(
    app: Flask, issuer: Issuer, stranger: Person, wrong: Callable[[Issuer], Any]
) -> None:
    wrong(issuer)
    answer = sign_on(stranger)
    assert (answer.status_code, answer.location) == (302, "/login")
    assert not is_in(stranger)
    assert db.session.query(Identity).count() == 0


@pytest.mark.any_engine
def test_an_issuer_that_names_itself_on_the_way_back_is_believed(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    issuer.metadata["authorization_response_iss_parameter_supported"] = True
    issuer.answer["iss"] = issuer.url
    sign_on(stranger)
    assert is_in(stranger)


@pytest.mark.any_engine
@pytest.mark.parametrize("renamed", [True, False], ids=["another name", "the same name"])
def test_keys_may_be_changed(app: Flask, issuer: Issuer, stranger: Person, renamed: bool) -> None:
    sign_on(stranger)
    issuer.rotate(renamed=renamed)
    again = Person(app, None)
    sign_on(again)
    assert is_in(again)
    assert issuer.asked.count("/keys") == 2, "they are read anew when none that is known has signed a token"


def test_a_code_is_worth_one_login(app: Flask, stranger: Person) -> None:
    back = at_the_issuer(stranger)
    with stranger.client.session_transaction() as cookie:
        kept = dict(cookie)
    stranger.get(back)
    thief = Person(app, None)
    with thief.client.session_transaction() as cookie:
        cookie.update(kept)
    thief.get(back)
    assert is_in(stranger)
    assert not is_in(thief)


@pytest.mark.parametrize("cookie", ["none", "of another login"])
def test_the_way_back_of_somebody_else_logs_nobody_in(
    app: Flask, issuer: Issuer, stranger: Person, cookie: str
) -> None:
    """Else a link would log people in as whoever made it (login CSRF), or give a stolen code away."""
    back = at_the_issuer(stranger)
    victim = Person(app, None)
    if cookie == "of another login":
        victim.get(BEGIN)
    assert victim.get(back).location == "/login"
    assert not is_in(victim)
    assert "/token" not in issuer.asked, "nor is the code given away"


def test_an_answer_to_something_else_keeps_nobody_from_their_own_login(app: Flask, stranger: Person) -> None:
    """Of another tab, or of a link that somebody else made."""
    other_tab, this_tab = at_the_issuer(stranger), at_the_issuer(stranger)
    assert stranger.get(other_tab).location == "/login"
    assert stranger.get(this_tab).location == "/"
    assert stranger.get(other_tab).location == "/"
    assert "You are logged in already, as nina." in stranger.get("/jobs/").text


def test_nobody_is_told_that_they_are_logged_out_who_is_not(vera: Person) -> None:
    assert vera.get("/login/logged-out").location == "/"


def test_a_code_without_its_verifier_is_worth_nothing(app: Flask, issuer: Issuer, stranger: Person) -> None:
    """A code that leaked from another login, put into one's own."""
    stolen = parse_qs(urlsplit(at_the_issuer(stranger)).query)["code"][0]
    thief = Person(app, None)
    mine = parse_qs(urlsplit(at_the_issuer(thief)).query)
    issuer.claims = {"nonce": issuer.codes[mine["code"][0]]["nonce"]}  # so that the verifier alone stands
    assert thief.get(f"{BEGIN}/callback?code={stolen}&state={mine['state'][0]}").location == "/login"
    assert not is_in(thief)


@pytest.mark.any_engine
def test_each_login_asks_with_values_of_its_own(app: Flask, issuer: Issuer) -> None:
    asked = [parse_qs(urlsplit(Person(app, None).get(BEGIN).location).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        first, second = (one[name][0] for one in asked)
        assert first != second
        assert len(first) >= 43


@pytest.mark.any_engine
@pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?code=x&state=", "?error=access_denied"])
def test_a_way_back_that_nobody_has_gone_is_refused(app: Flask, stranger: Person, query: str) -> None:
    assert stranger.get(f"{BEGIN}/callback{query}").location == "/login"
    assert not is_in(stranger)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/jobs/%3Frule=no_coms", "/jobs/?rule=no_coms"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/%5Cevil.example/", "/"),
    ],
)
def test_it_leads_to_the_page_that_was_asked_for_if_it_is_ours(
    app: Flask, stranger: Person, target: str, leads_to: str
) -> None:
    assert sign_on(stranger, f"{BEGIN}?next={target}").location == leads_to


def test_nothing_known_before_the_login_is_worth_anything_after(app: Flask, stranger: Person) -> None:
    back = at_the_issuer(stranger)
    with stranger.client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    stranger.get(back)
    with stranger.client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert "single_sign_on" not in cookie


# -- an issuer that does not answer --------------------------------------------------------------------


def drip(handler: Any) -> bool:
    handler.send_response(200)
    handler.end_headers()
    return drip_of(handler, b" ")


def drip_of_a_header(handler: Any) -> bool:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    return drip_of(handler, b"x")


def drip_of_answers_to_come(handler: Any) -> bool:
    return drip_of(handler, b"HTTP/1.1 100 Continue\r\n\r\n")


def drip_of(handler: Any, drop: bytes) -> bool:
    handler.close_connection = True
    with suppress(OSError):
        for _ in range(200):
            handler.wfile.write(drop)
            handler.wfile.flush()
            time.sleep(0.02)
    return True


def silence(_handler: Any) -> bool:
    time.sleep(1)
    return True


def a_lot(handler: Any) -> bool:
    handler.padding = b" " * oidc.LONGEST_REPLY
    return False


def elsewhere(handler: Any) -> bool:
    handler.send_response(302)
    handler.send_header("Location", f"http://127.0.0.1:{handler.server.server_address[1]}/stolen")
    handler.end_headers()
    return True


def broken(handler: Any) -> bool:
    handler.reply(500, {})
    return True


def deep(handler: Any) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"[" * 100_000)
    return True


FAULTS = (drip, drip_of_a_header, drip_of_answers_to_come, silence, a_lot, elsewhere, broken, deep)


@pytest.mark.any_engine
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_faulty_issuer_is_given_up_and_passwords_go_on(
    app: Flask, issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch, fault: Any, at: str
) -> None:
    for name, seconds in {"CONNECT_SECONDS": 0.5, "SILENT_SECONDS": 0.5, "REPLY_SECONDS": 0.5}.items():
        monkeypatch.setattr(oidc, name, seconds)
    issuer.before_reply = lambda handler: urlsplit(handler.path).path == at and fault(handler)
    began = time.monotonic()
    answer = stranger.get(BEGIN) if "well-known" in at else sign_on(stranger)
    assert time.monotonic() - began < 3
    assert answer.location == "/login"
    assert "/stolen" not in issuer.asked
    assert "Single sign-on does not answer" in told(stranger)
    assert stranger.post("/login", username="vera", password=PASSWORD).location == "/"


@pytest.mark.any_engine
def test_the_log_tells_why_the_issuer_logged_nobody_in(
    app: Flask, issuer: Issuer, stranger: Person, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.before_reply = broken
    stranger.get(BEGIN)
    issuer.before_reply = lambda _: False
    issuer.who["roles"] = []
    sign_on(stranger)
    told = [str(record.msg) for record in caplog.records if record.name == "jobauto.security"]
    assert told[0].startswith("event=single-sign-on-unavailable reason=")
    assert told[1].startswith('event=single-sign-on-refused reason="0001: The issuer gives you no role')
    assert all("address=127.0.0.1" in line for line in told)


@pytest.mark.any_engine
def test_a_silent_issuer_holds_up_a_few_requests_and_no_more(
    app: Flask, issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may press the button: else they would hold all threads of a process."""
    monkeypatch.setattr(oidc, "TURN_SECONDS", 0.1)
    stranger.get("/login")
    held, goes_on = threading.Semaphore(0), threading.Event()

    def hold(_handler: Any) -> bool:
        held.release()
        return not goes_on.wait(20)

    issuer.before_reply = hold
    first = [threading.Thread(target=stranger.client.get, args=[BEGIN]) for _ in range(oidc.AT_ONCE)]
    for thread in first:
        thread.start()
    assert all(held.acquire(timeout=10) for _ in first)
    answer = Person(app, None).get(BEGIN)
    asked = len(issuer.asked)
    goes_on.set()
    for thread in first:
        thread.join(20)
    assert answer.location == "/login"
    assert asked == oidc.AT_ONCE


@pytest.mark.any_engine
def test_only_a_few_wait_for_their_turn_and_the_next_is_told_at_once(
    app: Flask, issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TURN_SECONDS", "SILENT_SECONDS", "REPLY_SECONDS"):
        monkeypatch.setattr(oidc, name, 60)
    stranger.get("/login")
    goes_on, told_at_once = threading.Event(), Queue[str | None]()
    issuer.before_reply = lambda _: not goes_on.wait(20)
    come = [
        threading.Thread(target=lambda: told_at_once.put(Person(app, None).get(BEGIN).location))
        for _ in range(oidc.AT_ONCE + oidc.IN_LINE + 1)
    ]
    for thread in come:
        thread.start()
    try:
        assert told_at_once.get(timeout=10) == "/login"
    finally:
        goes_on.set()
        for thread in come:
            thread.join(20)


@pytest.mark.any_engine
def test_an_issuer_that_was_silent_is_left_alone_for_a_while(
    app: Flask, issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each who asks it waits for it, in a thread that others need: anybody may ask."""
    monkeypatch.setattr(oidc, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(oidc, "SLOW_SECONDS", 0.1)
    issuer.before_reply = silence
    for _ in range(3):
        assert stranger.get(BEGIN).location == "/login"
    assert len(issuer.asked) == 1
    assert "Single sign-on does not answer" in told(stranger)


@pytest.mark.any_engine
def test_an_issuer_that_refuses_at_once_is_asked_by_each(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    """A code that somebody made up keeps nobody else out."""
    issuer.before_reply = lambda handler: handler.path == "/token" and broken(handler)
    for _ in range(2):
        assert sign_on(stranger).location == "/login"
    issuer.before_reply = lambda _: False
    sign_on(stranger)
    assert is_in(stranger)


@pytest.mark.any_engine
def test_a_long_address_to_lead_to_does_not_keep_anybody_out(app: Flask, stranger: Person) -> None:
    """A browser would drop a cookie of more than 4 kB."""
    assert sign_on(stranger, f"{BEGIN}?next=/jobs/%3Fq={'x' * 4000}").location == "/"


@pytest.mark.any_engine
def test_it_starts_and_serves_while_the_issuer_is_down_and_asks_again(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    app.config["OIDC_ISSUER"] = "http://127.0.0.1:1"
    assert stranger.get(BEGIN).location == "/login"
    assert stranger.post("/login", username="vera", password=PASSWORD).location == "/"


@pytest.mark.any_engine
def test_an_issuer_that_comes_back_is_asked_again(app: Flask, issuer: Issuer, stranger: Person) -> None:
    issuer.before_reply = broken
    assert stranger.get(BEGIN).location == "/login"
    issuer.before_reply = lambda _: False
    sign_on(stranger)
    assert is_in(stranger)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"issuer": "https://elsewhere.example"}, id="another issuer's"),
        pytest.param({"token_endpoint": None}, id="no token endpoint"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, id="a file"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="a script"),
        pytest.param({"jwks_uri": "http://[::1"}, id="no address"),
        pytest.param({"token_endpoint_auth_methods_supported": 5}, id="no list"),
    ],
)
def test_a_discovery_document_that_cannot_be_meant_is_not_followed(
    app: Flask, issuer: Issuer, stranger: Person, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    assert stranger.get(BEGIN).location == "/login"
    assert "Single sign-on does not answer" in told(stranger)


@pytest.mark.any_engine
def test_an_issuer_with_tls_leads_to_nothing_without_it() -> None:
    plain, secure = "http://login.example/token", "https://login.example/token"
    assert oidc.is_as_safe(secure, "https://login.example")
    assert not oidc.is_as_safe(plain, "https://login.example")
    assert oidc.is_as_safe(plain, "http://127.0.0.1:8080"), "on this machine"


UNKNOWN_KEY = {"kty": "EC", "crv": "P-1024", "x": "AA", "y": "AA", "kid": "of tomorrow"}


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "keys",
    [{"error": "gone"}, {"keys": [UNKNOWN_KEY]}, {"keys": [5]}],
    ids=["none", "one of another kind", "no key"],
)
def test_an_issuer_that_tells_no_keys_logs_nobody_in(
    issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any]
) -> None:
    monkeypatch.setattr(issuer, "keys", lambda: keys)
    assert sign_on(stranger).location == "/login"
    assert "Single sign-on does not answer" in told(stranger)


@pytest.mark.any_engine
def test_a_key_that_nobody_understands_keeps_the_others_from_nothing(
    issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = issuer.keys()["keys"]
    monkeypatch.setattr(issuer, "keys", lambda: {"keys": [UNKNOWN_KEY, *known]})
    sign_on(stranger)
    assert is_in(stranger)


@pytest.mark.any_engine
@pytest.mark.parametrize("odd", [{"expires_at": {}}, {"expires_in": float("inf")}], ids=str)
def test_tokens_that_cannot_be_meant_log_nobody_in(
    issuer: Issuer, stranger: Person, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
) -> None:
    monkeypatch.setattr(issuer, "token", lambda *_: (200, odd))
    assert sign_on(stranger).location == "/login"
    assert "Single sign-on does not answer" in told(stranger)


# -- beside passwords, the second factor and the logout ------------------------------------------------


def test_passwords_may_be_switched_off_but_for_one_admin(app: Flask) -> None:
    app.config["BREAK_GLASS_ADMIN"] = "ada"
    for name, comes_in in (("vera", False), ("oscar", False), ("ada", True)):
        person = Person(app, None)
        answer = person.post("/login", username=name, password=PASSWORD)
        assert (answer.status_code == 302) is comes_in
        assert is_in(person) is comes_in
        if not comes_in:
            assert "User name or password is wrong." in answer.text


def test_who_has_no_password_has_not_the_empty_one(app: Flask, stranger: Person) -> None:
    sign_on(stranger)
    for password in ("", " ", "0" * 64):
        assert Person(app, None).post("/login", username="nina", password=password).status_code in (401, 422)


def test_the_second_factor_is_asked_for_unless_the_issuer_has(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    sign_on(stranger)
    phone, _ = set_up("nina")
    for amr, leads_to in (
        (None, "/login/second-factor"),
        (["pwd"], "/login/second-factor"),
        (["pwd", "mfa"], "/"),
    ):
        issuer.who["amr"] = amr
        again = Person(app, None)
        assert sign_on(again).location == leads_to
        assert is_in(again) is (leads_to == "/")
    issuer.who["amr"] = None
    sign_on(again := Person(app, None))
    send(again, "/login/second-factor", code=phone.code())
    assert is_in(again)


def test_whoever_sets_a_second_factor_up_is_asked_by_the_issuer_and_not_known_by_the_browser_alone(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    """It stays theirs: who finds a screen unlocked must not be let in with a phone of their own."""
    app.config["SECOND_FACTOR_ROLES"] = ["admin"]
    issuer.who["roles"], issuer.claims = ["bosses"], {"auth_time": seconds_ago(3600)}
    there = sign_on(stranger).location
    assert parse_qs(urlsplit(there).query)["prompt"] == ["login"]
    back = requests.get(there, allow_redirects=False, timeout=10).headers["Location"]
    assert stranger.get(back.removeprefix("https://jobs.example")).location == "/login"
    assert stranger.get(SET_UP).location == "/login", "it asked nobody"

    issuer.claims = {}
    there = sign_on(stranger, f"{BEGIN}?next=/runs/").location
    back = requests.get(there, allow_redirects=False, timeout=10).headers["Location"]
    assert stranger.get(back.removeprefix("https://jobs.example")).location == f"{SET_UP}?next=/runs/"


def test_a_password_that_must_be_changed_does_not_matter_to_a_login_without_it(
    app: Flask, issuer: Issuer, stranger: Person
) -> None:
    single_sign_on.connect("vera", issuer.url, "0001", Author("ada", utcnow()))
    set_password("vera", "given by ada", Author("ada", utcnow()), must_change=True)
    assert sign_on(stranger).location == "/"


def test_who_came_in_without_the_password_that_was_set_for_them_does_not_keep_it_either(
    app: Flask, stranger: Person
) -> None:
    sign_on(stranger)
    set_password("nina", "given by ada", Author("ada", utcnow()), must_change=True)
    nina = Person(app, None)
    sign_on(nina)
    same = {"current": "given by ada", "password": "given by ada", "once_more": "given by ada"}
    refused = send(nina, "/account", action="password", **same)
    assert refused.status_code == 422
    assert "This is the password that was set for you. Choose another one." in refused.text
    assert user("nina").password_lapses_at


def test_logging_out_leads_to_the_logout_at_the_issuer(app: Flask, issuer: Issuer, stranger: Person) -> None:
    sign_on(stranger)
    answer = send(stranger, "/", to="/logout")
    assert answer.location == "/login/logged-out"
    assert not is_in(stranger)
    page = stranger.get("/login/logged-out").text
    home = "https%3A%2F%2Fjobs.example%2Flogin"
    back = f"{issuer.url}/logout?client_id=jobauto&amp;post_logout_redirect_uri={home}"
    assert f'href="{back}"' in page
    assert f'content="0; url={back}"' in page


def test_who_logged_in_with_a_password_logs_out_here_only(app: Flask) -> None:
    vera = Person(app, None)
    sign_on(vera)
    send(vera, "/", to="/logout")
    vera.post("/login", username="vera", password=PASSWORD)
    assert send(vera, "/", to="/logout").location == "/login"


@pytest.mark.parametrize(
    "fault", [{"end_session_endpoint": None}, {"end_session_endpoint": "javascript:alert(1)"}]
)
def test_an_issuer_without_a_logout_is_said_to_go_on(
    app: Flask, issuer: Issuer, stranger: Person, fault: dict[str, Any]
) -> None:
    issuer.metadata = fault
    sign_on(stranger)
    send(stranger, "/", to="/logout")
    page = stranger.get("/login/logged-out").text
    assert "you may still be logged in" in page
    assert "javascript" not in page


def test_where_there_is_no_issuer_there_is_no_single_sign_on(app: Flask, stranger: Person) -> None:
    app.config["OIDC_ISSUER"] = ""
    for address in (BEGIN, f"{BEGIN}/callback"):
        assert stranger.get(address).status_code == 404
    assert "single sign-on" not in stranger.get("/login").text


def test_nobody_new_takes_the_name_of_the_break_glass_admin(app: Flask, stranger: Person) -> None:
    """Who has it could be given a password there, and the operator's own account could not be made."""
    app.config["BREAK_GLASS_ADMIN"] = "nina"
    sign_on(stranger)
    assert not is_in(stranger)
    assert "The name nina is kept for the break-glass admin." in told(stranger)
    assert service.known("nina") is None
