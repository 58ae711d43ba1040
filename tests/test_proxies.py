"""Only what configured proxies say of a client counts, and only the headers that they set."""

import pytest
from flask import request

from jobauto import create_app

SAID = {
    "X-Forwarded-For": "192.0.2.66, 192.0.2.1",
    "X-Forwarded-Proto": "http, https",
    "X-Forwarded-Host": "evil.example, jobauto.example.com",
    "X-Forwarded-Prefix": "/evil, /jobauto",
    "X-Forwarded-Port": "6666",
    "Forwarded": "for=192.0.2.66;host=evil.example",
}


@pytest.mark.parametrize(
    ("hops", "address", "root"),
    [
        (0, "127.0.0.1", "http://localhost/"),
        (1, "192.0.2.1", "https://jobauto.example.com/jobauto/"),
        (2, "192.0.2.66", "http://evil.example/evil/"),
    ],
    ids=["nobody is believed", "the last", "the last two, so the first of them may say what it likes"],
)
def test_who_is_believed(hops: int, address: str, root: str) -> None:
    app = create_app({"TESTING": True, "SECRET_KEY": "tests", "PROXY_HOPS": hops})
    seen = []
    app.before_request_funcs[None].insert(0, lambda: seen.append((request.remote_addr, request.root_url)))
    app.test_client().get("/no-such-page", headers=SAID)
    assert seen == [(address, root)]
