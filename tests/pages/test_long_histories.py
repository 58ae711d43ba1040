"""A history that a script has made very long: its page stays one that can be opened."""

import pytest
from sqlalchemy import insert, select

from jobauto.audit.queries import SHOWN
from jobauto.audit.service import LONGEST, Author, record
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Event
from jobauto.notifications import channels
from jobauto.storage.connections import write
from tests.memory import at_most
from tests.pages.reading import words
from tests.people import Person

OLDER = "Older changes are not shown here."


@pytest.mark.parametrize(
    ("subject", "subject_id", "address"),
    [("job", "1", "/jobs/1"), ("site", "FLAT", "/sites/FLAT"), ("user", "vera", "/users/vera")],
)
def test_a_history_shows_its_newest_changes_and_says_where_it_leaves_some_out(
    ada: Person, run_id: int, subject: str, subject_id: str, address: str
) -> None:
    before = words(ada.get(address))
    with write() as session:
        notes = [("note", None, f"note-{number}.") for number in range(SHOWN + 1)]
        record(session, Author("oscar", utcnow()), subject, subject_id, notes)

    text = words(ada.get(address))

    assert (OLDER in before, OLDER in text) == (False, True)
    assert ("note-0." in text, "note-1." in text, f"note-{SHOWN}." in text) == (False, True, True)


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("subject", "subject_id", "address"),
    [
        ("job", "1", "/jobs/1"),
        ("site", "FLAT", "/sites/FLAT"),
        ("user", "vera", "/users/vera"),
        ("address", "1", "/settings/notifications/1"),
    ],
)
def test_no_more_of_a_history_is_held_than_its_page_shows(
    ada: Person, run_id: int, subject: str, subject_id: str, address: str
) -> None:
    """Of 100,000 changes, which a token may make in a quarter of an hour, a site's page took 200 MB."""
    ops = ("message", "Ops", "json://127.0.0.1:9/x")
    channels.add(*ops, problems=True, digest=False, author=Author("ada", utcnow()))
    with write() as session:
        session.execute(
            insert(Event),
            [
                {"at": utcnow(), "subject": subject, "subject_id": subject_id, "field": "x", "after": "x"}
                for _ in range(20_000)
            ],
        )
    ada.get(address)  # what is read once is no history
    with at_most(15):
        assert OLDER in ada.get(address).text


def test_of_a_text_of_megabytes_a_history_keeps_the_beginning(ada: Person) -> None:
    """Twenty of them made the audit log take half a gigabyte."""
    groups = [f"{number:0100}" for number in range(2000)]
    assert ada.api("PUT", "/api/job-automation/policies/Slow/", json={"groups": groups}).status_code == 200
    kept = db.session.scalars(select(Event.after).where(Event.field == "groups")).one()
    assert kept
    assert (len(kept), kept[-1]) == (LONGEST, "…")
