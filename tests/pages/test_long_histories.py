"""A history that a script has made very long: its page stays one that can be opened."""

import pytest

from jobauto.audit.queries import SHOWN
from jobauto.audit.service import Author, record
from jobauto.clock import utcnow
from jobauto.storage.connections import write
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
