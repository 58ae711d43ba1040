"""A channel through which nothing gets is seen by those who can mend it, until something gets through."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from jobauto.clock import utcnow
from jobauto.notifications import channels
from jobauto.notifications.sending import process_pending
from jobauto.users import service
from tests.notifications.receivers import Mail
from tests.notifications.telling import ADA, add_message, put_message
from tests.pages.reading import words
from tests.people import Person
from tests.users.mailing import give, set_up_mail

TITLE = "Messages do not get through"
REFUSED = "The mail server answered 550."
LONG_AGO = timedelta(minutes=11)

pytestmark = pytest.mark.process


@pytest.fixture
def _refused(app: Flask, cast: None, mail: Mail) -> None:
    """Oscar's address, which the mail server has refused for eleven minutes."""
    set_up_mail(app, mail.port)
    mail.refuses = True
    refuse(timedelta(0))


def refuse(later: timedelta) -> None:
    since = utcnow() - LONG_AGO + later
    give("oscar", "oscar@example.org", now=since)
    assert process_pending(lambda: since) == 0


@pytest.mark.usefixtures("_refused")
def test_admins_see_whose_address_fails_since_when_and_why(ada: Person, oscar: Person) -> None:
    seen = words(ada.get("/"))
    assert TITLE in seen
    assert re.search(rf"oscar , oscar@example.org , since \S+ \S+ .11 minutes ago.: {REFUSED}", seen)
    assert REFUSED in words(ada.get("/users/oscar"))
    assert TITLE not in words(oscar.get("/")), "whom he can ask sees it"
    assert REFUSED in words(oscar.get("/account"))


@pytest.mark.usefixtures("_refused")
def test_it_is_over_when_a_message_gets_through(ada: Person, oscar: Person, mail: Mail) -> None:
    mail.refuses = False
    assert process_pending() == 1
    assert TITLE not in words(ada.get("/"))
    assert REFUSED not in words(oscar.get("/account"))


@pytest.mark.usefixtures("_refused")
@pytest.mark.parametrize("how", ["another address", "none", "deactivated"])
def test_it_is_over_when_nothing_is_sent_there_any_more(ada: Person, how: str) -> None:
    if how == "deactivated":
        service.set_active("oscar", False, author=ADA)
    else:
        give("oscar", "" if how == "none" else "oscar.new@example.org", now=utcnow())
    assert TITLE not in words(ada.get("/"))


def test_one_refusal_is_not_called_failing(app: Flask, ada: Person, mail: Mail) -> None:
    set_up_mail(app, mail.port)
    mail.refuses = True
    refuse(timedelta(minutes=2))
    assert TITLE not in words(ada.get("/"))


def test_a_channel_of_the_settings_is_seen_as_well_unless_it_is_off(ada: Person) -> None:
    since = utcnow() - LONG_AGO
    put_message(add_message("json://127.0.0.1:9/x"), now=since)
    process_pending(lambda: since)
    assert "operations , since" in words(ada.get("/"))
    channels.set_active(1, False, author=ADA)
    assert TITLE not in words(ada.get("/"))
