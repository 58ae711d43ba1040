"""Importing files on a page."""

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from jobauto.clock import utcnow
from jobauto.imports import background
from jobauto.models import Import
from jobauto.storage.connections import write
from jobauto.turns import Turns
from jobauto.web import file_turns
from jobauto.work import threads
from tests.fleets import add_site
from tests.pages.reading import error_beside, form_of, words
from tests.people import Person

HEADER = "site_id,reading_date,reading_value\n"
GOOD = "S1,2026-03-31T06:00,10\n"
BAD = "nobody,2026-03-31T06:00,1\nS1,31/03/2026 06:00,1\n"


def send(person: Person, content: str, **fields: str) -> TestResponse:
    """Choose a file and press the button, and wait until it is done."""
    file = (io.BytesIO(content.encode()), "march <1>.csv")
    answer = person.post("/import/", **{"kind": "readings", "file": file, **fields})
    wait()
    return answer


def wait() -> None:
    """Until what goes on in the background is done."""
    for thread in threading.enumerate():
        if thread.name == "imports":
            thread.join(60)


def send_raw(person: Person, content: str) -> TestResponse:
    """The same for a large file, in the bytes of a browser: the test client would leave a file open."""
    fields = {"csrf_token": form_of(person.get("/import/"))["csrf_token"], "kind": "readings"}
    parts = [
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = '--X\r\nContent-Disposition: form-data; name="file"; filename="large.csv"\r\n\r\n'
    body = "".join([*parts, file, content, "\r\n--X--\r\n"]).encode()
    answer = person.client.post("/import/", data=body, content_type="multipart/form-data; boundary=X")
    wait()
    return answer


def test_a_file_is_imported_and_its_page_tells_what_came_of_it(oscar: Person) -> None:
    add_site("S1")
    assert send(oscar, HEADER + GOOD).location == "/import/1"
    page = oscar.get("/import/1")
    assert "Imported Every row of the file was taken." in words(page)
    assert "Rows New 1 Updated 0 Unchanged 0 Rejected 0" in words(page)
    assert "http-equiv" not in page.text
    assert "march <1>.csv Readings Finished 1 new, 0 updated, 0 unchanged, 0 rejected oscar" in words(
        oscar.get("/import/")
    )


def test_sites_are_imported_too(oscar: Person) -> None:
    send(oscar, "site_id,site_name\nS1,Mill Lane\n", kind="sites")
    assert "Mill Lane" in words(oscar.get("/sites/"))


def test_rejected_rows_are_named_by_line_and_come_back_as_a_file(oscar: Person) -> None:
    add_site("S1")
    send(oscar, HEADER + GOOD + BAD)
    page = oscar.get("/import/1")
    text = words(page)
    assert "2 rows were rejected The others are imported." in text
    assert "3 unknown site: nobody" in text
    assert "4 reading_date is not a date and time like 2026-03-31T06:00" in text
    assert 'href="/import/1/rejected.csv"' in page.text
    assert oscar.get("/import/1/rejected.csv").text == HEADER + BAD


def test_the_rejected_rows_are_a_file_to_keep_under_a_name_of_ours(oscar: Person) -> None:
    send(oscar, HEADER + BAD)
    wait()
    answer = oscar.get("/import/1/rejected.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=rejected-1.csv"


def test_where_every_row_was_rejected_it_does_not_say_that_others_were_imported(oscar: Person) -> None:
    send(oscar, HEADER + BAD)
    assert "2 rows were rejected Nothing was imported." in words(oscar.get("/import/1"))


def decide(person: Person, decision: str) -> str:
    """Press one of the two buttons, wait until it is done, and look at the page."""
    person.post("/import/1", decision=decision)
    wait()
    return words(person.get("/import/1"))


def test_a_look_says_that_nothing_was_stored_and_imports_the_same_file_for_real(oscar: Person) -> None:
    add_site("S1")
    send(oscar, HEADER + GOOD, dry_run="y")
    text = words(oscar.get("/import/1"))
    assert "Preview: nothing was stored" in text
    assert "Import this file Do not import The file is kept until" in text
    assert "Would be new 1 Would be updated 0" in text
    assert "No readings yet" in words(oscar.get("/sites/S1"))
    assert "Imported Every row of the file was taken." in decide(oscar, "import")
    assert "No readings yet" not in words(oscar.get("/sites/S1"))


def test_a_look_at_a_file_of_which_nothing_can_be_stored_offers_no_import(oscar: Person) -> None:
    send(oscar, HEADER + BAD, dry_run="y")
    text = words(oscar.get("/import/1"))
    assert "There is nothing to store: every row would be rejected." in text
    assert "Import this file" not in text


def test_warnings_are_shown_before_anything_is_stored_and_the_file_waits_for_a_decision(
    oscar: Person, vera: Person
) -> None:
    add_site("S1")
    doubtful = (
        "".join(f"S1,2026-03-3{day}T06:00,1.00{day}\n" for day in range(2)) + "S1,2026-03-29T06:00,1.001\n"
    )
    send(oscar, HEADER + doubtful)
    text = words(oscar.get("/import/1"))
    warning = "S1: every value has exactly three decimals: MWh, or a dot for thousands?"
    assert f"Nothing is stored yet: are these values what they seem? {warning} Import all the same" in text
    assert text.count(warning) == 1
    assert "Would be new 3" in text
    assert "Import all the same" not in words(vera.get("/import/1"))
    assert "No readings yet" in words(oscar.get("/sites/S1"))

    assert "Finished Imported Every row of the file was taken." in decide(oscar, "import")
    assert "Import 1 has been decided on already." in decide(oscar, "discard")


def test_what_is_not_to_be_imported_says_who_decided_so(oscar: Person) -> None:
    add_site("S1")
    send(oscar, HEADER + GOOD, dry_run="y")
    assert "It is not imported. " in decide(oscar, "discard")
    assert "Not imported oscar decided so" in words(oscar.get("/import/1"))


@pytest.mark.parametrize(
    ("dry_run", "then", "told"),
    [
        ("", "/import/1/undo", "Undone 1 removed, 0 restored, 0 left"),
        ("y", "/import/1", "Discarded Nothing stored"),
        ("y", "", "Preview Would be 1 new, 0 updated, 0 unchanged, 0 rejected"),
    ],
    ids=["undone", "discarded", "only looked at"],
)
def test_the_history_says_of_rows_that_do_not_stand_that_they_do_not(
    oscar: Person, dry_run: str, then: str, told: str
) -> None:
    add_site("S1")
    send(oscar, HEADER + GOOD, dry_run=dry_run)
    if then:
        oscar.post(then, decision="discard")
        wait()

    assert f"march <1>.csv Readings {told} oscar" in words(oscar.get("/import/"))


def test_a_look_shows_the_first_rows_as_understood_and_what_is_doubtful_about_them(oscar: Person) -> None:
    add_site("S1")
    rows = "".join(f"S1,2026-03-3{day}T06:00,1.00{day},x\n" for day in range(2))
    late = "S1,2026-03-29T12:00,1.005,x\nS9,2026-03-29T12:00,1.000,x\n"
    send(oscar, HEADER.strip() + ",comment\n" + rows + late, dry_run="y")
    text = words(oscar.get("/import/1"))
    assert (
        "S1,2026-03-31T06:00,1.001,x S1 2026-03-31 06:00:00+01:00 Europe/London 2026-03-31 05:00:00 UTC 1.00"
        in text
    )
    assert "S9,2026-03-29T12:00,1.000,x Rejected: unknown site: S9" in text
    assert "S1: every value has exactly three decimals: MWh, or a dot for thousands?" in text
    assert "They would be taken as they are." in text
    assert "Ignored columns comment" in text
    assert "1 row of 1 unknown site: S9" in text
    assert "ignored columns: comment" in words(oscar.get("/import/"))


def test_a_look_at_a_list_of_sites_shows_what_each_row_says(oscar: Person) -> None:
    send(oscar, "site_id,site_name,Active\nX,Mill,false\nY,Hill,\n", kind="sites", dry_run="y")
    text = words(oscar.get("/import/1"))
    assert "X,Mill,false X Mill active false" in text
    assert "Y,Hill, Y Hill Nothing else" in text


def test_a_column_that_refuses_a_file_can_be_ignored(oscar: Person) -> None:
    add_site("S1")
    content = HEADER.strip() + ",unit,status\n" + GOOD.strip() + ",kWh,A\n"
    assert "a column unit:" in error_beside(send(oscar, content), "file")
    assert send(oscar, content, ignore_columns=" Unit , status").location == "/import/1"
    assert "Ignored columns unit, status" in words(oscar.get("/import/1"))


FEED = """{"file": {"kind": "delimited"}, "header": {"find": ["MPAN"]}, "site": {"column": "MPAN"},
 "time": {"columns": ["Date"], "formats": ["%d/%m/%Y %H:%M"]}, "value": {"columns": ["kWh"]}}"""
OF_FEED = "MPAN,Date,kWh\nS1,05/11/2026 06:00,100\nS1,14/11/2026 06:00,101\n"


def test_the_profile_that_reads_a_file_is_told_before_it_is_sent(oscar: Person) -> None:
    oscar.post("/profiles/new", name="portal", document=FEED)

    answer = oscar.post("/import/kind", kind="", file=(io.BytesIO(OF_FEED.encode()), "a.csv"))

    assert answer.json == {"said": "The profile portal reads this file.", "profile": "portal"}


@pytest.mark.any_engine
@pytest.mark.parametrize(
    "address",
    [
        "/import/",
        "/import/kind",
        "/profiles/new/try",
        "/profiles/new/file",
        "/profiles/new/1",
        "/profiles/new/1/look",
    ],
)
def test_few_files_are_read_at_once_because_each_takes_memory_and_a_thread(
    oscar: Person, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(file_turns, "FILES", files := Turns(1))
    with files.turn():
        refused = oscar.post(address)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Other files are being read, so this one was not taken." in refused.text
    assert oscar.post(address).status_code != 429


def test_a_file_of_a_feed_need_not_be_sent_again_for_its_profile(oscar: Person) -> None:
    add_site("S1")
    oscar.post("/profiles/new", name="portal", document=FEED)

    refused = send(oscar, OF_FEED, kind="")
    assert '<a href="/profiles/new/1">Make a profile from it' in refused.text
    assert "The profile portal reads this file Import it by portal" in words(oscar.get("/profiles/new/1"))
    oscar.post("/profiles/new/1/import", profile="portal")
    wait()

    assert "2 new, 0 updated, 0 unchanged, 0 rejected" in words(oscar.get("/import/"))


def test_it_says_how_long_rejected_rows_can_be_had(oscar: Person) -> None:
    send(oscar, HEADER + BAD)
    assert "Download the rejected rows until" in words(oscar.get("/import/1"))
    assert "its rejected rows can be downloaded for 14 days" in words(oscar.get("/import/"))


def test_while_it_waits_its_page_shows_how_far_it_is_and_looks_again_by_itself(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)
    send(oscar, HEADER + GOOD)
    page = oscar.get("/import/1")
    assert '<meta http-equiv="refresh" content="2">' in page.text
    assert f'<progress id="progress" value="0" max="{len(HEADER + GOOD)}">' in page.text
    assert "Waiting for its turn" in words(page)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "The file is empty."),
        ("site_id,reading_date\nS1,2026-03-31T06:00\n", "reading_value"),
    ],
    ids=["empty", "no column"],
)
def test_a_file_that_cannot_be_meant_is_refused_beside_the_field(
    oscar: Person, content: str, why: str
) -> None:
    page = send(oscar, content)
    assert page.status_code == 422
    assert why.lower().rstrip(".").split()[-1] in error_beside(page, "file").lower()
    assert "No imports yet" in words(page)


def test_who_sends_the_file_of_a_feed_is_led_to_make_a_profile(oscar: Person) -> None:
    refused = send(oscar, "MPAN;Datum;kWh\n2100033334444;05/11/2026;1,5\n", kind="")
    assert refused.status_code == 422
    assert "Is it the file of a feed" in words(refused)
    assert 'href="/profiles/new"' in refused.text.split("<main")[1]


def test_without_a_file_one_is_asked_for(oscar: Person) -> None:
    page = oscar.post("/import/", kind="readings")
    assert page.status_code == 422
    assert error_beside(page, "file") == "Choose a file."


def test_a_file_larger_than_other_requests_may_be_is_taken(oscar: Person) -> None:
    row = f"S1,2026-03-31T06:00,{'0' * 2000}x\n"
    assert send_raw(oscar, HEADER + row * 5500).status_code == 302
    text = words(oscar.get("/import/1"))
    assert "5,500 rows were rejected" in text
    assert "These are the first 1,000 of 5,500. The file has all of them." in text


def test_a_viewer_reads_the_history_and_finds_nothing_to_press(vera: Person, oscar: Person) -> None:
    assert "Operators import sites and readings here." in words(vera.get("/import/"))
    send(oscar, HEADER + BAD)
    assert "<form" not in vera.get("/import/").text.split("<main")[1]
    page = vera.get("/import/1")
    assert "2 rows were rejected" in words(page)
    assert "rejected.csv" not in page.text
    assert send(vera, HEADER + GOOD).status_code == 403


def test_an_import_that_is_not_there_is_not_found(oscar: Person) -> None:
    assert oscar.get("/import/1").status_code == 404


def test_the_page_of_an_import_under_way_is_told_how_far_it_is(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)
    send(oscar, HEADER + GOOD)
    began = utcnow() - timedelta(seconds=10)
    with write() as session:
        half = {
            "status": "running",
            "is_checked": True,
            "size": 4_000_000,
            "done": 3_000_000,
            "rows": 123_456,
        }
        session.execute(update(Import).values(half | {"pass_began_at": began, "heartbeat_at": utcnow()}))

    told: Any = oscar.get("/import/1/progress").json
    assert (told["state"], told["done"], told["size"]) == ("running", 3_000_000, 4_000_000)
    assert told["texts"]["read"] == "3.0 MB of 4.0 MB (75 %) read."
    assert told["texts"]["rows"] == "123,456 rows so far, about 12,000 a second."
    assert "3.0 MB of 4.0 MB (75 %) read." in words(oscar.get("/import/1"))


def test_it_is_canceled_on_its_page_which_says_so_before_and_after(
    oscar: Person, vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)
    send(oscar, HEADER + GOOD)
    assert "If you cancel: nothing is stored; the file is deleted." in words(oscar.get("/import/1"))
    assert "Cancel the import" not in vera.get("/import/1").text

    oscar.post("/import/1/cancel")
    assert "Canceled oscar canceled it" in words(oscar.get("/import/1"))
    assert "Nothing was stored; the file is deleted." in words(oscar.get("/import/1"))


def test_the_file_of_a_canceled_one_of_the_watched_folder_is_said_to_be_moved(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)
    send(oscar, HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(way="inbox"))
    assert "If you cancel: nothing is stored; the file is moved to rejected." in words(oscar.get("/import/1"))

    oscar.post("/import/1/cancel")
    assert "Nothing was stored; the file is moved to rejected." in words(oscar.get("/import/1"))


def test_one_that_was_canceled_in_the_middle_says_what_stays_and_offers_to_undo_it(oscar: Person) -> None:
    add_site("S1")
    send(oscar, HEADER + GOOD)
    with write() as session:
        session.execute(update(Import).values(status="canceled", canceled_by="ada", canceled_at=utcnow()))

    page = oscar.get("/import/1")
    assert "1 row was stored before, and stays; the file is deleted." in words(page)
    assert page.text.count("Undo this import") == 1


@pytest.mark.parametrize(
    ("content", "told", "said"),
    [
        (HEADER + GOOD, 0, "What was stored before stays; the file is deleted."),
        ("site_id,site_name\nS1,Mill Lane\n", 0, "What was stored before stays; the file is deleted."),
        (HEADER + GOOD, 2, "2 rows or more were stored before, and stay; the file is deleted."),
    ],
    ids=["readings", "sites", "after it had told of some"],
)
def test_one_whose_process_died_and_was_canceled_does_not_say_that_nothing_was_stored(
    oscar: Person, monkeypatch: pytest.MonkeyPatch, content: str, told: int, said: str
) -> None:
    monkeypatch.setattr(threads.OneByOne, "add", lambda _line, _work: None)
    send(oscar, content, kind="")
    died = {"status": "running", "is_checked": True, "attempts": 1, "new": told, "canceled_at": utcnow()}
    with write() as session:
        session.execute(update(Import).values(died | {"heartbeat_at": utcnow() - timedelta(minutes=3)}))
    background.process_pending()

    page = words(oscar.get("/import/1"))
    assert said in page
    assert "The process that imported it died." in page


def test_what_a_file_contains_need_not_be_chosen(oscar: Person) -> None:
    send(oscar, "site_id,site_name\nS1,Mill Lane\n", kind="")
    send(oscar, HEADER + GOOD, kind="")
    assert "File contains Sites" in words(oscar.get("/import/1"))
    assert "Rows New 1" in words(oscar.get("/import/2"))


def test_a_wrong_choice_is_told_before_anything_is_done(oscar: Person) -> None:
    answer = send(oscar, "site_id,site_name\nS1,Mill Lane\n", kind="readings")
    assert answer.status_code == 422
    assert "The header says that the file contains sites" in error_beside(answer, "kind")
    assert "No imports yet" in words(oscar.get("/import/"))


@pytest.mark.any_engine
def test_the_page_can_be_the_one_that_offers_to_undo_an_action_on_jobs(oscar: Person, run_id: int) -> None:
    """Whoever has it open beside the list of jobs, and loads it first."""
    send(oscar, HEADER + BAD)
    oscar.post("/jobs/", action="assign", assignee="oscar", job=["1", "2"])
    assert "2 jobs assigned to oscar. Undo Details" in words(oscar.get("/import/1"))
