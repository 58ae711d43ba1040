"""Asking a real server over HTTP, on the loopback."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

from tests.pages.reading import form_in
from tests.processes import PATIENCE


def ask(method: str, url: str, token: str | None = None, body: Any = None) -> tuple[int, Any]:
    """Send a request to the API; status and JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, headers, method=method)  # noqa: S310 (loopback)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def send_form(server: str, username: str, password: str, address: str, typed: dict[str, str]) -> None:
    """Log in as a browser does, open a page, type into its form, send all of it."""
    browser = build_opener(HTTPCookieProcessor())

    def page(path: str, fields: dict[str, str] | None = None) -> str:
        data = None if fields is None else urlencode(fields).encode()
        with browser.open(f"{server}{path}", data, PATIENCE) as answer:
            return str(answer.read().decode())

    page("/login", form_in(page("/login")) | {"username": username, "password": password})
    page(address, form_in(page(address)) | typed)
