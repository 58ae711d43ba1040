"""Reading pages the way people do: their words, and what their forms would send."""

import re
from html import unescape
from html.parser import HTMLParser

from werkzeug.test import TestResponse


def words(page: TestResponse, part: str = "main") -> str:
    """The text of a part of a page, without tags, each run of white space as one space."""
    found = re.search(rf"<{part}\b.*?</{part}>", page.text, re.DOTALL)
    assert found, f"the page has no <{part}>"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split()).replace(" .", ".").replace(" :", ":")


def form_of(page: TestResponse) -> dict[str, str]:
    """What the page's forms would send if nothing were typed."""
    return form_in(page.text)


def form_in(html: str) -> dict[str, str]:
    """The same, of a page that came from elsewhere."""
    reader = _FormReader()
    reader.feed(html)
    return reader.values


def error_beside(page: TestResponse, field: str) -> str:
    """What stands beside a field as its error, if the field points to it."""
    assert f'aria-describedby="{field}-error' in page.text, f"{field} names no error"
    found = re.search(rf'<p class="field-error" id="{re.escape(field)}-error">([^<]*)</p>', page.text)
    assert found, f"{field} has no error"
    return unescape(found[1])


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = value
        elif tag in ("select", "textarea"):
            self._inside = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given:
            self.values[self._inside] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside and self.lasttag == "textarea":
            self.values[self._inside] += data.lstrip("\r\n")
