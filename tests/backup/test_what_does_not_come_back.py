"""A restore brings back neither logins, which may have ended since, nor what waited to be sent back then."""

import gzip

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.audit.service import Author
from jobauto.auth.service import set_password
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Import, UserSession
from jobauto.notifications import sending
from jobauto.storage.connections import write
from tests.backup.everything import put_back, taken
from tests.fleets import NOON
from tests.imports.test_background import GOOD, HEADER, accept, entry
from tests.notifications.telling import add_message, messages, put_message
from tests.people import Person


def sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(UserSession)) or 0


@pytest.mark.usefixtures("cast")
def test_nobody_is_logged_in(app: Flask) -> None:
    ada = Person(app, "ada")
    content = taken()
    assert (sessions(), ada.get("/jobs/").status_code) == (1, 200)
    put_back(content, replace=True)
    assert (sessions(), ada.get("/jobs/").status_code) == (0, 302)


@pytest.mark.usefixtures("cast")
def test_a_backup_does_not_tell_of_who_is_logged_in(app: Flask) -> None:
    Person(app, "ada")
    key_hash = db.session.scalars(select(UserSession.key_hash)).one()
    assert key_hash.encode() not in gzip.decompress(taken())


@pytest.mark.usefixtures("cast")
def test_nobody_is_half_logged_in(app: Flask) -> None:
    set_password("vera", "given by ada", Author("ada", utcnow()), must_change=True)
    vera = Person(app, None)
    vera.post("/login", username="vera", password="given by ada")
    content = taken()
    assert vera.get("/login/new-password").status_code == 200
    put_back(content, replace=True)
    assert vera.get("/login/new-password").status_code == 302


@pytest.mark.usefixtures("app")
def test_imports_that_waited_or_were_under_way_have_failed_for_a_backup_has_no_files() -> None:
    ids = [accept(HEADER + GOOD) for _ in range(4)]
    for import_id, status in zip(ids, ("queued", "running", "waiting", "finished"), strict=True):
        with write() as session:
            found = update(Import).where(Import.id == import_id)
            session.execute(found.values(status=status, decide_until=NOON))

    put_back(taken(), replace=True)

    failed = ("failed", NOON, "The database was restored from a backup, which holds no files. Send it again.")
    ends = map(entry, ids)
    assert [(end.status, end.finished_at, end.error, end.decide_until) for end in ends] == [
        *[(*failed, None)] * 3,
        ("finished", None, None, None),
    ]


@pytest.mark.usefixtures("app")
def test_what_waited_is_given_up_and_what_was_settled_stays() -> None:
    address = add_message("json://127.0.0.1:9")
    put_message(address, "sent")
    claimed = sending.claim(NOON)
    assert claimed
    sending.mark_sent(claimed, NOON)
    put_message(address, "waits")
    put_message(address, "is being sent")
    assert sending.claim(NOON)

    put_back(taken(), replace=True)

    gone = ("given_up", NOON, "The database was restored from a backup.")
    assert [(m.topic, m.status, m.settled_at, m.error) for m in messages()] == [
        ("sent", "sent", NOON, None),
        ("waits", *gone),
        ("is being sent", *gone),
    ]
    assert sending.process_pending(lambda: NOON) == 0
