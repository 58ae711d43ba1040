"""Names that others choose do no harm in a message: they make no line, no header and no mention."""

import pytest
from flask import Flask

from jobauto.notifications.sending import process_pending
from jobauto.notifications.texts import LONGEST, plain
from jobauto.work.scheduler import run_slot
from tests.fleets import NOON, add_site, days_before
from tests.notifications.receivers import Mail
from tests.notifications.telling import add_message


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("Mill Lane", "Mill Lane", id="an honest name"),
        pytest.param("Zürich 🏠 東京", "Zürich 🏠 東京", id="other letters"),
        pytest.param("a\r\nBcc: x", "a Bcc: x", id="a new line"),
        pytest.param("a\0b\x1b[31m\u2028c", "a b [31m c", id="controls"),
        pytest.param("\u202eevil\u2066 x\u200f", "evil x", id="changes of direction"),
        pytest.param("@everyone", "@\u200beveryone", id="a mention"),
        pytest.param("<!channel> <b>", "<\u200b!channel> <\u200bb>", id="a mention in Slack, and markup"),
        pytest.param("[click](http://evil.example)", "[click]\u200b(http://evil.example)", id="a link"),
        pytest.param("a @ b < c", "a @ b < c", id="harmless signs"),
        pytest.param("x" * 999, "x" * (LONGEST - 1) + "…", id="very long"),
        pytest.param("", "", id="empty"),
        pytest.param(None, "None", id="nothing"),
    ],
)
def test_words_of_others_become_one_plain_line(name: object, told: str) -> None:
    assert plain(name) == told


@pytest.mark.process
def test_a_mail_about_a_site_with_a_hostile_name_has_no_header_of_its_choosing(
    app: Flask, mail: Mail
) -> None:
    hostile = "X\u2029Bcc: evil@example.com <script>alert(1)</script> =?utf-8?q?x?="
    add_site("S1", {days_before(9): 1}, site_name=hostile)
    add_message(f"mailto://127.0.0.1:{mail.port}/?from=jobauto@example.com&to=ops@example.com", digest=True)
    run_slot(NOON.date(), lambda: NOON)
    process_pending(lambda: NOON)
    (letter,) = mail.mails
    assert mail.recipients == [["ops@example.com"]]
    assert letter["Bcc"] is None
    assert letter["Subject"] == "jobauto: 1 new job, 2026-03-31"
    assert letter.get_content_type() == "text/plain"
    text = letter.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert "Job 1, No Coms: X Bcc: evil@\u200bexample.com <\u200bscript>" in text.decode()
