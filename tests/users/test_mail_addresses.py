"""A mail address counts once its owner has opened the link that was sent there, and for nobody else."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer
from sqlalchemy import select, update

from jobauto.audit import queries as audit
from jobauto.audit.service import Author
from jobauto.auth import service as auth
from jobauto.clock import utcnow
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.models import Channel, MailAddress, UserSession
from jobauto.notifications.sending import claim, mark_sent, process_pending
from jobauto.users import mail_addresses, service
from jobauto.users.mail_addresses import LINK_HOURS, LinkRefused
from tests.databases import POSTGRESQL
from tests.fleets import NOON
from tests.notifications import receivers
from tests.notifications.telling import ADA
from tests.pages.reading import error_beside, form_of, words
from tests.people import PASSWORD, Person
from tests.processes import PATIENCE, await_until
from tests.racing import both_before_either_commits, is_anybody_waiting, just_before
from tests.users.mailing import give, newest_link, set_up_mail, verified, waiting

MINE, OTHER = "oscar@example.org", "oscar.new@example.org"
OSCAR = Author("oscar", NOON)
HOUR = timedelta(hours=1)


@pytest.fixture
def _mail(app: Flask, cast: None) -> None:
    set_up_mail(app)


def address_of(name: str) -> tuple[str, bool] | None:
    """The address of now, and whether it is verified."""
    db.session.rollback()
    mine = mail_addresses.address_of(auth.by_name(name))
    return None if mine is None else (mine.channel.display_name, mine.verified_at is not None)


def verify(name: str, link: str) -> str:
    return mail_addresses.verify(name, link, author=Author(name, NOON))


def test_without_a_mail_server_the_page_says_so_and_offers_no_form(app: Flask, oscar: Person) -> None:
    page = oscar.get("/account")
    assert "Mail is not set up" in words(page)
    assert "mail" not in form_of(page)
    assert oscar.post("/account", action="mail", mail=MINE).status_code == 409
    assert address_of("oscar") is None


@pytest.mark.process
def test_a_link_is_sent_and_opened_by_its_owner_makes_the_address_count(app: Flask, oscar: Person) -> None:
    with receivers.mail() as mail:
        set_up_mail(app, mail.port)
        oscar.post("/account", action="mail", mail=f" {MINE} ")
        assert address_of("oscar") == (MINE, False)
        assert process_pending() == 1
    assert mail.recipients == [[MINE]]
    link = f"/account/mail/{newest_link()}"
    assert link in str(mail.mails[0].get_payload()).replace("=\r\n", "")

    assert MINE in words(oscar.get(link))
    assert address_of("oscar") == (MINE, False), "who only looks confirms nothing"
    assert "is confirmed" in words(oscar.client.get(oscar.post(link).location))
    assert address_of("oscar") == (MINE, True)
    assert form_of(oscar.get("/account"))["assignments"] == "at_once"
    history = db.session.scalars(audit.events_for("user", "oscar"))
    assert [(entry.field, entry.after) for entry in history] == [("mail", MINE), ("mail_verified", "true")]


@pytest.mark.usefixtures("_mail")
def test_a_link_counts_once() -> None:
    give("oscar", MINE)
    link = newest_link()
    assert verify("oscar", link) == MINE
    with pytest.raises(LinkRefused, match="already"):
        verify("oscar", link)


@pytest.mark.usefixtures("_mail")
@pytest.mark.parametrize(
    "spoilt",
    ["another's", "over", "changed", "of another key", "of SHA-1", "of an address from before", "nonsense"],
)
def test_a_link_that_does_not_count(app: Flask, spoilt: str) -> None:
    give("vera", "vera@example.org")
    of_vera = newest_link()
    give("oscar", MINE)
    link, now = newest_link(), NOON
    if spoilt == "another's":
        link = of_vera
    elif spoilt == "over":
        now += timedelta(hours=LINK_HOURS)
    elif spoilt == "changed":
        link = f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}"
    elif spoilt == "of another key":
        app.config["SECRET_KEY"] = "another key, of forty characters or so ..."
    elif spoilt == "of SHA-1":
        signing = {"secret_key": app.config["SECRET_KEY"], "salt": "jobauto: a mail address is its user's"}
        link = str(URLSafeSerializer(**signing).dumps(URLSafeSerializer(**signing).loads_unsafe(link)[1]))
    elif spoilt == "of an address from before":
        give("oscar", OTHER)
    else:
        link = "nonsense"
    with pytest.raises(LinkRefused, match="not valid"):
        mail_addresses.verify("oscar", link, author=Author("oscar", now))
    mine = address_of("oscar")
    assert mine is not None
    assert not mine[1]


@pytest.mark.usefixtures("_mail")
def test_the_same_number_of_another_database_is_not_the_same_address() -> None:
    give("oscar", MINE)
    link = newest_link()
    db.session.execute(update(Channel).where(Channel.display_name == MINE).values(display_name=OTHER))
    db.session.commit()
    with pytest.raises(LinkRefused):
        verify("oscar", link)


@pytest.mark.usefixtures("_mail")
def test_another_address_takes_the_place_of_the_former_one_which_is_told() -> None:
    verified("oscar", MINE, "daily")
    claim(NOON)  # the link to the former one is on its way
    give("oscar", OTHER)
    assert waiting() == [(MINE, "replaced"), (OTHER, "link")]
    assert address_of("oscar") == (OTHER, False)
    verify("oscar", newest_link())
    mine = mail_addresses.address_of(auth.by_name("oscar"))
    assert mine is not None
    assert mine.assignments == "daily", "the choice was the person's, not the address's"


@pytest.mark.usefixtures("_mail")
def test_an_address_that_was_never_confirmed_is_not_told_and_its_link_not_sent() -> None:
    give("oscar", MINE)
    give("oscar", OTHER)
    assert waiting() == [(OTHER, "link")]
    give("oscar", "")
    assert waiting() == []
    assert address_of("oscar") is None


@pytest.mark.usefixtures("_mail")
def test_links_are_few() -> None:
    for _ in range(3):
        give("oscar", MINE)
        give("oscar", "")
    with pytest.raises(InvalidInput) as refused:
        give("oscar", MINE)
    assert refused.value.status == 429
    assert address_of("oscar") is None
    for hour in range(1, 8):
        give("oscar", MINE, now=NOON + hour * HOUR)
        give("oscar", "", now=NOON + hour * HOUR)
    with pytest.raises(InvalidInput, match="Nothing was changed"):
        give("oscar", MINE, now=NOON + 9 * HOUR)
    give("oscar", MINE, now=NOON + 25 * HOUR)


@pytest.mark.usefixtures("_mail")
def test_another_link_may_be_sent_until_one_was_opened(oscar: Person) -> None:
    oscar.post("/account", action="mail", mail=MINE)
    first = newest_link()
    assert "on its way" in words(oscar.client.get(oscar.post("/account", action="mail_link").location))
    mail_addresses.verify("oscar", first, author=Author("oscar", utcnow()))
    assert oscar.post("/account", action="mail_link").status_code in (302, 409)
    assert [kind for _, kind in waiting()] == ["link", "link"]


@pytest.mark.usefixtures("_mail")
def test_somebody_elses_link_confirms_nothing_on_the_page(oscar: Person, vera: Person) -> None:
    give("oscar", MINE, now=utcnow())
    link = f"/account/mail/{newest_link()}"
    for answer in (vera.get(link), vera.post(link)):
        assert answer.location == "/account"
    assert address_of("oscar") == (MINE, False)


@pytest.mark.usefixtures("_mail")
def test_an_admin_says_where_and_not_that_it_is_theirs(ada: Person, oscar: Person) -> None:
    page = ada.client.get(ada.post("/users/oscar", action="mail", mail=MINE).location)
    assert "Nothing else is sent there until oscar opens it." in words(page)
    assert MINE in words(ada.get("/users/"))
    link = f"/account/mail/{newest_link()}"
    ada.post(link)
    assert address_of("oscar") == (MINE, False)
    oscar.post(link)
    assert address_of("oscar") == (MINE, True)
    assert error_beside(ada.post("/users/oscar", action="mail", mail="nobody"), "mail")
    assert oscar.get("/users/").status_code == 403


@pytest.mark.usefixtures("_mail")
@pytest.mark.parametrize(("who", "where"), [("oscar", "/account"), ("ada", "/users/oscar")])
def test_whoever_found_the_screen_unlocked_changes_no_address(app: Flask, who: str, where: str) -> None:
    person = Person(app, who)
    db.session.execute(update(UserSession).values(proven_at=utcnow() - timedelta(minutes=11)))
    db.session.commit()
    assert "Enter your password" in error_beside(person.post(where, action="mail", mail=MINE), "confirm-mail")
    assert person.post(where, action="mail", mail=MINE, confirm="wrong wrong").status_code == 422
    assert address_of("oscar") is None
    assert person.post(where, action="mail", mail=MINE, confirm=PASSWORD).status_code == 302
    assert address_of("oscar") == (MINE, False)


@pytest.mark.usefixtures("_mail")
def test_who_is_deactivated_gets_nothing() -> None:
    verified("oscar", MINE)
    give("oscar", OTHER)
    service.set_active("oscar", False, author=ADA)
    assert waiting() == []
    with pytest.raises(InvalidInput, match="deactivated"):
        give("oscar", MINE, by="ada")


def at_once(app: Flask, *works: object) -> list[str]:
    """Let each be done by somebody of their own, each having written before the other one commits."""

    def do(work: object) -> str:
        with app.app_context():
            try:
                work()  # type: ignore[operator]
            except (LinkRefused, InvalidInput):
                return "refused"
            finally:
                db.session.remove()
            return "done"

    with both_before_either_commits("mail_address"), ThreadPoolExecutor(2) as pool:
        return list(pool.map(do, works, timeout=PATIENCE))


@pytest.mark.usefixtures("_mail")
def test_of_two_who_open_the_same_link_at_once_one_confirms(app: Flask) -> None:
    give("oscar", MINE)
    link = newest_link()
    assert sorted(at_once(app, *[lambda: verify("oscar", link)] * 2)) == ["done", "refused"]
    assert address_of("oscar") == (MINE, True)


@pytest.mark.usefixtures("_mail")
def test_a_link_that_is_opened_while_the_address_is_changed_confirms_the_former_one_or_none(
    app: Flask,
) -> None:
    give("oscar", MINE)
    link = newest_link()
    done = at_once(app, lambda: verify("oscar", link), lambda: give("oscar", OTHER))
    assert done[1] == "done"
    assert address_of("oscar") == (OTHER, False)
    told = (MINE, "replaced") in waiting()
    assert told == (done[0] == "done"), "who had confirmed it is told, and nobody else"


@pytest.mark.usefixtures("_mail")
def test_of_two_addresses_that_are_given_at_once_one_is_left(app: Flask) -> None:
    give("oscar", "first@example.org")
    assert at_once(app, lambda: give("oscar", MINE), lambda: give("oscar", OTHER)) == ["done", "done"]
    rows = db.session.scalars(select(MailAddress).where(MailAddress.replaced_at.is_(None))).all()
    assert len(rows) == 1


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
@pytest.mark.usefixtures("_mail")
def test_an_address_is_changed_while_a_message_to_it_gets_through(app: Flask) -> None:
    """Who settles the message has the address, and wants the message; on SQLite there is one writer."""
    give("oscar", MINE)
    claimed = claim(NOON)
    assert claimed
    with db.engine.begin() as connection:
        connection.execute(update(Channel).values(failing_since=NOON, failure="No answer."))
    changing: list[Future[None]] = []

    def change() -> None:
        with app.app_context():
            give("oscar", OTHER)
            db.session.remove()

    def begin_to_change() -> None:
        changing.append(pool.submit(change))
        with db.engine.connect() as watching:
            await_until(lambda: is_anybody_waiting(watching), "who changes it waits")

    with ThreadPoolExecutor(1) as pool, just_before("UPDATE outbox", begin_to_change):
        mark_sent(claimed, NOON)
        changing[0].result(PATIENCE)
    assert address_of("oscar") == (OTHER, False)
