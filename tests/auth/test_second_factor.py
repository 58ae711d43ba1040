"""The second factor at a login: codes count once, wrong ones are slowed, and a lost device has a way out."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit.service import Author
from jobauto.auth import logging_in, own_second_factor, second_factor, service, steps, throttling
from jobauto.auth.devices import new_device
from jobauto.auth.second_factor import ProposalOver, WrongCode
from jobauto.auth.throttling import ADDRESS_FAILURES, Subject, Throttled
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import RecoveryCode, SecondFactor, UserSession
from jobauto.users.service import set_role
from tests.auth.second_factors import (
    PERIOD,
    Phone,
    after_the_password,
    client,
    codes_on,
    history,
    proposed_on,
    send,
    set_up,
)
from tests.auth.test_throttling import fail
from tests.notifications.telling import add_message, messages
from tests.people import PASSWORD, Person
from tests.processes import SECRET_KEY

ADDRESS = "/login/second-factor"


def begun(name: str = "vera", **at: Any) -> str:
    entered = service.log_in(name, PASSWORD, client(**at))
    assert entered.step == steps.SECOND_FACTOR
    return entered.key


def sessions() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(UserSession)).all())


# -- codes ---------------------------------------------------------------------------------------------


def test_a_login_also_asks_for_a_code_of_the_app(app: Flask, cast: None) -> None:
    phone, _ = set_up("vera")
    vera = after_the_password(app, "vera")
    assert vera.get("/jobs/").location.startswith("/login")
    wrong = send(vera, ADDRESS, code="000000" if phone.code() != "000000" else "000001")
    assert wrong.status_code == 422
    assert vera.get("/jobs/").location.startswith("/login")
    assert send(vera, ADDRESS, code=f"{phone.code()[:3]} {phone.code()[3:]}").location == "/"
    assert vera.get("/jobs/").status_code == 200


@pytest.mark.parametrize(
    ("off", "right"),
    [
        pytest.param(0, True, id="of now"),
        pytest.param(-1, True, id="of the 30 seconds before"),
        pytest.param(1, True, id="of those after"),
        pytest.param(-2, False, id="too old"),
        pytest.param(2, False, id="too early"),
    ],
)
def test_a_clock_may_be_wrong_by_half_a_minute(app: Flask, cast: None, off: int, right: bool) -> None:
    phone, _ = set_up("vera")
    now = utcnow()
    key = begun(now=now)
    try:
        assert logging_in.give_code(key, phone.code(now + off * PERIOD), client(now=now)).step is None
    except WrongCode:
        assert not right
    else:
        assert right


def test_a_code_is_taken_once_and_none_after_a_later_one(app: Flask, cast: None) -> None:
    phone, _ = set_up("vera")
    now = utcnow()
    later, earlier = phone.code(now), phone.code(now - PERIOD)
    logging_in.give_code(begun(now=now), later, client(now=now))
    for used in (later, earlier):
        key = begun(now=now)
        with pytest.raises(WrongCode):
            logging_in.give_code(key, used, client(now=now))


def test_the_code_that_set_it_up_does_not_log_in(app: Flask, cast: None) -> None:
    now = utcnow()
    phone, _ = set_up("vera", now)
    key = begun(now=now)
    with pytest.raises(WrongCode):
        logging_in.give_code(key, phone.code(now), client(now=now))


@pytest.mark.parametrize("kind", ["of the app", "for recovery"])
def test_of_two_who_give_the_same_code_at_once_one_comes_in(app: Flask, cast: None, kind: str) -> None:
    phone, codes = set_up("vera")
    now = utcnow()
    code = phone.code(now) if kind == "of the app" else codes[0]
    keys = [begun(now=now) for _ in range(2)]
    db.session.remove()
    start, outcomes = threading.Barrier(2), []

    def give(key: str) -> None:
        with app.app_context():
            start.wait(10)
            try:
                outcomes.append(logging_in.give_code(key, code, client(now=now)).step)
            except WrongCode:
                outcomes.append("wrong")
            db.session.remove()

    threads = [threading.Thread(target=give, args=[key]) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, outcomes)) == ["None", "wrong"]
    assert sessions() == 1


def test_a_code_of_somebody_else_is_wrong(app: Flask, cast: None) -> None:
    set_up("vera")
    phone, codes = set_up("oscar")
    for code in (phone.code(), codes[0]):
        with pytest.raises(WrongCode):
            logging_in.give_code(begun(), code, client())


def test_the_half_login_of_one_does_not_take_the_code_to_another(app: Flask, cast: None) -> None:
    """Whose it is stands in the database, not in what the browser sends."""
    _, codes = set_up("vera")
    set_up("ada")
    vera = after_the_password(app, "vera")
    send(vera, ADDRESS, code=codes[0], username="ada", user_id="1")
    assert "vera" in vera.get("/account").text


# -- recovery codes ------------------------------------------------------------------------------------


def test_a_recovery_code_opens_once_however_it_is_typed(app: Flask, cast: None) -> None:
    _, codes = set_up("vera")
    assert len(codes) == len(set(codes)) == 10
    assert send(after_the_password(app, "vera"), ADDRESS, code=f" {codes[3].upper()} ").location == "/"
    assert send(after_the_password(app, "vera"), ADDRESS, code=codes[3]).status_code == 422
    assert send(after_the_password(app, "vera"), ADDRESS, code=codes[4].replace("-", "")).location == "/"
    assert second_factor.recovery_codes_left(service.by_name("vera")) == 8
    assert ("vera", "recovery_code", "used") in history("vera")


def test_neither_secret_nor_codes_are_in_the_database(app: Flask, cast: None) -> None:
    phone, codes = set_up("vera")
    kept = [
        *db.session.scalars(select(RecoveryCode.code_hash)),
        *db.session.scalars(select(SecondFactor.secret)),
    ]
    for secret in (phone.secret, *codes, *(code.replace("-", "") for code in codes)):
        assert not [one for one in kept if secret in one]


def test_after_a_change_of_the_secret_key_the_former_one_still_decrypts_until_it_is_no_more(
    app: Flask, cast: None
) -> None:
    phone, codes = set_up("vera")
    app.config.update(SECRET_KEY="another key of the tests", SECRET_KEY_FALLBACKS=[SECRET_KEY])
    now = utcnow()
    logging_in.give_code(begun(now=now), phone.code(now), client(now=now))
    app.config["SECRET_KEY_FALLBACKS"] = []
    later = now + PERIOD
    # It was encrypted anew at the login.
    logging_in.give_code(begun(now=later), phone.code(later), client(now=later))
    app.config["SECRET_KEY"] = "and a third"
    with pytest.raises(WrongCode):
        logging_in.give_code(begun(), phone.code(later + PERIOD), client(now=later + PERIOD))
    assert logging_in.give_code(begun(), codes[0], client(now=later + PERIOD)).step is None


# -- wrong codes ---------------------------------------------------------------------------------------


def guess(times: int, now: Any, address: str = "192.0.2.1", **at: Any) -> None:
    key = begun(now=now)
    for _ in range(times):
        with pytest.raises(WrongCode):
            logging_in.give_code(key, "no code", client(now=now, address=address, **at))


def test_wrong_codes_are_slowed_whatever_half_login_they_come_in(app: Flask, cast: None) -> None:
    phone, _ = set_up("vera")
    now = utcnow()
    guess(3, now)
    guess(3, now, address="198.51.100.7")
    with pytest.raises(Throttled):
        logging_in.give_code(begun(now=now), phone.code(now), client(now=now))
    after = now + timedelta(seconds=2)
    assert logging_in.give_code(begun(now=now), phone.code(now), client(now=after)).step is None
    guess(5, after)  # the count has begun anew


def test_whoever_waits_between_wrong_codes_has_no_more_tries_a_day(app: Flask, cast: None) -> None:
    """An hour's pause after 14 of them would be 294 a day, if they were forgotten by then."""
    set_up("vera")
    subject, now = Subject.of_second_factor(service.by_name("vera").id, "192.0.2.1", None), utcnow()
    for _ in range(14):
        throttling.count_failure(subject, now)
    later = now + timedelta(hours=23)
    throttling.check_throttle(subject, later)
    throttling.count_failure(subject, later)
    with pytest.raises(Throttled) as slowed:
        throttling.check_throttle(subject, later)
    assert slowed.value.seconds == 15 * 60


def test_guesses_at_once_are_looked_at_one_after_the_other(app: Flask, cast: None) -> None:
    set_up("vera")
    now = utcnow()
    key = begun(now=now)
    db.session.remove()
    start, outcomes = threading.Barrier(12), []

    def give() -> None:
        with app.app_context():
            start.wait(10)
            try:
                logging_in.give_code(key, "no code", client(now=now))
            except (WrongCode, Throttled) as error:
                outcomes.append(type(error))
            db.session.remove()

    threads = [threading.Thread(target=give) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count(WrongCode) == 6, "five are free, and the sixth is followed by a wait"
    assert outcomes.count(Throttled) == 6


def test_the_page_says_429_with_the_time(app: Flask, cast: None) -> None:
    phone, _ = set_up("vera")
    guess(6, utcnow() + timedelta(minutes=5), address="127.0.0.1")
    answer = send(after_the_password(app, "vera"), ADDRESS, code=phone.code())
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 290
    assert "Too many wrong codes. Try again in" in answer.text


def test_somebody_without_the_password_slows_nobodys_codes(app: Flask, cast: None) -> None:
    """Names that are typed at the login and users whose codes are counted cannot be mistaken."""
    phone, _ = set_up("vera")
    user_id, stranger = service.by_name("vera").id, Person(app, None)
    for _ in range(7):
        stranger.post("/login", username=f"second factor {user_id}", password="wrong")
    now = utcnow()
    assert logging_in.give_code(begun(now=now), phone.code(now), client(now=now)).step is None


@pytest.mark.parametrize("guesser", ["192.0.2.1", "198.51.100.7"], ids=["in the same office", "elsewhere"])
def test_nobody_else_keeps_a_known_browser_from_its_code(app: Flask, cast: None, guesser: str) -> None:
    """Neither who guesses at passwords at its address, nor who has the password and guesses at codes."""
    phone, _ = set_up("vera")
    now = utcnow()
    mine = client(now=now, device=new_device().with_user(service.by_name("vera")))
    guess(6, now, address=guesser)
    fail("nobody", ADDRESS_FAILURES, address=guesser, now=now)
    key = service.log_in("vera", PASSWORD, mine).key
    for _ in range(5):
        with pytest.raises(WrongCode):
            logging_in.give_code(key, "no code", mine)
    assert logging_in.give_code(key, phone.code(now), mine).step is None


def test_a_known_browser_guesses_at_codes_no_faster(app: Flask, cast: None) -> None:
    phone, _ = set_up("vera")
    now = utcnow()
    mine = client(now=now, device=new_device().with_user(service.by_name("vera")))
    key = service.log_in("vera", PASSWORD, mine).key
    for _ in range(6):
        with pytest.raises(WrongCode):
            logging_in.give_code(key, "no code", mine)
    with pytest.raises(Throttled):
        logging_in.give_code(key, phone.code(now), mine)


def test_browsers_from_before_it_was_set_up_have_no_guesses_of_their_own(app: Flask, cast: None) -> None:
    """Whoever had the password by then could have made any number of them."""
    vera = service.by_name("vera")
    first, second = (new_device().with_user(vera) for _ in range(2))
    set_up("vera")
    now = utcnow()
    guess(6, now, device=first)
    with pytest.raises(Throttled):
        guess(1, now, device=second)


# -- where a role must have one ------------------------------------------------------------------------


@pytest.fixture
def needed(app: Flask) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["viewer", "admin"]


def test_a_role_that_must_have_one_sets_it_up_at_the_login(app: Flask, cast: None, needed: None) -> None:
    vera = after_the_password(app, "vera")
    page = vera.get("/login/second-factor/set-up")
    assert page.status_code == 200
    assert 'src="data:image/svg+xml' in page.text, "drawn here, by nobody else"
    sealed, phone = proposed_on(page.text)
    wrong = send(vera, "/login/second-factor/set-up", sealed=sealed, code="12345")
    assert wrong.status_code == 422
    assert proposed_on(wrong.text)[1].secret == phone.secret, "one need not scan again"
    assert vera.get("/jobs/").location.startswith("/login")
    done = send(vera, "/login/second-factor/set-up", sealed=sealed, code=phone.code())
    assert len(codes_on(done.text)) == 10
    assert vera.get("/jobs/").status_code == 200
    assert (
        Person(app, None).post("/login", username="vera", password=PASSWORD).location
        == "/login/second-factor"
    )


def test_other_roles_need_none(app: Flask, cast: None, needed: None) -> None:
    assert Person(app, None).post("/login", username="oscar", password=PASSWORD).location == "/"


def test_who_gets_a_role_that_must_have_one_logs_in_anew_to_have_it(
    app: Flask, ada: Person, oscar: Person, needed: None
) -> None:
    """Nobody has asked the sessions of before for a code, whoever is in them."""
    assert oscar.get("/jobs/").status_code == 200
    ada.post("/users/oscar", action="role", role="admin")
    assert oscar.get("/users/").location.startswith("/login")
    assert after_the_password(app, "oscar").get("/login/second-factor/set-up").status_code == 200


def test_who_gets_it_while_their_new_password_is_looked_at_logs_in_anew_too(
    app: Flask, oscar: Person, needed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session that a new password begins takes the place of one that must still be there."""
    prove = service.prove

    def slowly(*given: Any) -> service.Proof:
        proof = prove(*given)
        set_role("oscar", "admin", author=Author("ada", utcnow()))
        return proof

    monkeypatch.setattr(service, "prove", slowly)
    new = {"password": "another good one", "once_more": "another good one"}
    answer = oscar.post("/account", action="password", current=PASSWORD, **new)
    assert answer.location == "/login"
    assert oscar.get("/jobs/").location.startswith("/login")
    assert service.authenticate("oscar", PASSWORD), "nothing was changed"


def test_who_gets_a_role_that_needs_none_goes_on(app: Flask, ada: Person, oscar: Person) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ["admin"]
    ada.post("/users/oscar", action="role", role="viewer")
    assert oscar.get("/jobs/").status_code == 200


def test_who_sets_one_up_then_changes_the_password_that_was_given(
    app: Flask, ada: Person, needed: None
) -> None:
    ada.post("/users/vera", action="password", password="given by ada", once_more="given by ada")
    vera = after_the_password(app, "vera", "given by ada")
    sealed, phone = proposed_on(vera.get("/login/second-factor/set-up").text)
    page = send(vera, "/login/second-factor/set-up", sealed=sealed, code=phone.code()).text
    assert 'href="/login/new-password"' in page
    assert vera.get("/jobs/").location.startswith("/login")


def test_a_proposal_is_for_one_person_and_a_quarter_of_an_hour(app: Flask, cast: None) -> None:
    vera, oscar, now = service.by_name("vera"), service.by_name("oscar"), utcnow()
    sealed = second_factor.propose(vera, now).sealed
    late = now + second_factor.PROPOSAL_LASTS + timedelta(seconds=2)
    for user, text, at in (
        (oscar, sealed, now),
        (vera, sealed, late),
        (vera, "made up", now),
        (vera, "", now),
    ):
        with pytest.raises(ProposalOver):
            second_factor.proposed(user, text, at)
    assert second_factor.proposed(vera, sealed, now).secret


def test_a_half_login_cannot_put_its_own_secret_in_place_of_one_that_is_there(app: Flask, cast: None) -> None:
    """Who knows the password alone must not enrol a phone of their own."""
    phone, _ = set_up("vera")
    vera = service.by_name("vera")
    mine = second_factor.propose(vera, utcnow())
    with pytest.raises(steps.LoginOver):
        logging_in.set_up(begun(), mine.sealed, Phone(mine.secret).code(), client())
    with pytest.raises(ProposalOver):
        own_second_factor.set_up(vera.id, mine.sealed, Phone(mine.secret).code(), client())
    now = utcnow()
    assert logging_in.give_code(begun(now=now), phone.code(now), client(now=now)).step is None


# -- on the page of one's account ----------------------------------------------------------------------

MINE = "/account/second-factor"


def test_it_is_set_up_with_the_password(app: Flask, vera: Person) -> None:
    wrong = send(vera, MINE, action="begin", confirm="wrong")
    assert (wrong.status_code, "sealed" in wrong.text) == (422, False)
    sealed, phone = proposed_on(send(vera, MINE, action="begin", confirm=PASSWORD).text)
    codes = send(vera, MINE, action="set_up", sealed=sealed, code=phone.code()).text
    assert len(codes_on(codes)) == 10
    assert "It is on" in vera.get(MINE).text
    assert ("vera", "second_factor", "on") in history("vera")


def test_of_many_guesses_at_once_none_sets_it_up_after_the_free_ones(
    app: Flask, vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove = service.prove

    def others_fail_meanwhile(*given: Any) -> service.Proof:
        proof = prove(*given)
        fail("vera", times=6, now=utcnow())
        return proof

    monkeypatch.setattr(service, "prove", others_fail_meanwhile)
    page = send(vera, MINE, action="begin", confirm=PASSWORD)
    assert (page.status_code, 'name="sealed"' in page.text) == (429, False)


def test_new_recovery_codes_and_switching_it_off_need_a_code(app: Flask, vera: Person) -> None:
    phone, codes = set_up("vera")
    for action in ("codes", "off"):
        assert send(vera, MINE, action=action, code="no code").status_code == 422
    new = send(vera, MINE, action="codes", code=phone.code()).text
    assert codes[0] not in new
    assert send(vera, MINE, action="off", code=codes[0]).status_code == 422, (
        "the former ones are worth nothing"
    )
    assert send(vera, MINE, action="off", code=codes_on(new)[0]).location == MINE
    assert second_factor.of(service.by_name("vera")) is None
    assert db.session.scalars(select(RecoveryCode)).all() == []


def test_it_cannot_be_switched_off_where_the_role_must_have_it(
    app: Flask, vera: Person, needed: None
) -> None:
    _, codes = set_up("vera")
    assert send(vera, MINE, action="off", code=codes[0]).status_code == 409
    assert second_factor.recovery_codes_left(service.by_name("vera")) == 10


def test_the_code_on_the_account_page_is_guessed_no_faster(app: Flask, vera: Person) -> None:
    phone, _ = set_up("vera")
    guess(6, utcnow() + timedelta(minutes=5), address="127.0.0.1")
    assert send(vera, MINE, action="off", code=phone.code()).status_code == 429


# -- a lost device -------------------------------------------------------------------------------------


def test_an_admin_resets_it_which_ends_the_sessions_and_is_told_to_the_owner(
    app: Flask, ada: Person, vera: Person
) -> None:
    set_up("vera")
    add_message("json://127.0.0.1:9/")
    assert ada.post("/users/vera", action="reset_second_factor").location == "/users/vera"
    assert vera.get("/jobs/").location.startswith("/login"), "whoever has the device is out"
    assert ("ada", "second_factor", "reset") in history("vera")
    again = Person(app, None)
    assert again.post("/login", username="vera", password=PASSWORD).location == "/"
    assert "ada has reset your second factor" in again.get("/").text
    assert "Your second factor was reset" in again.get(MINE).text
    told = [message.body for message in messages()]
    assert len(told) == 1
    assert told[0].startswith("ada has reset the second factor of vera")


def test_a_reset_is_for_admins_and_not_for_ones_own(app: Flask, ada: Person, oscar: Person) -> None:
    set_up("vera")
    set_up("ada")
    assert oscar.post("/users/vera", action="reset_second_factor").status_code == 403
    assert ada.post("/users/ada", action="reset_second_factor").status_code == 403
    assert ada.post("/users/nobody", action="reset_second_factor").status_code == 404
    for name in ("vera", "ada"):
        assert second_factor.of(service.by_name(name)) is not None


def test_by_command_too_for_an_only_admin(app: Flask, cast: None) -> None:
    set_up("ada")
    runner = app.test_cli_runner()
    assert runner.invoke(args=["reset-second-factor", "Ada"]).output == "Reset the second factor of ada\n"
    assert runner.invoke(args=["reset-second-factor", "ada"]).output == "There is no second factor.\n"
    assert runner.invoke(args=["reset-second-factor", "nobody"]).exit_code == 2
    assert Person(app, None).post("/login", username="ada", password=PASSWORD).location == "/"


def test_a_reset_asks_for_the_password_where_the_login_was_long_ago(app: Flask, ada: Person) -> None:
    set_up("vera")
    db.session.execute(update(UserSession).values(proven_at=utcnow() - timedelta(minutes=11)))
    db.session.commit()
    assert ada.post("/users/vera", action="reset_second_factor").status_code == 422
    assert second_factor.of(service.by_name("vera")) is not None
    assert ada.post("/users/vera", action="reset_second_factor", confirm=PASSWORD).status_code == 302
