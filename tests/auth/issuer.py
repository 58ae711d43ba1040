"""A complete OpenID Connect issuer on this machine: discovery, keys, authorization, tokens, logout.

It does as the specifications say, and one thing wrong where a test asks for it.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

from jobauto.clock import utcnow

CLIENT_ID = "jobauto"
CLIENT_SECRET = "the secret of the tests"
CALLBACK = "https://jobs.example/login/single-sign-on/callback"


class Issuer:
    """Who logs in here next, and what this issuer does wrong."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.callback = CALLBACK
        self.who: dict[str, Any] = {"sub": "0001", "preferred_username": "nina", "roles": ["staff"]}
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        """What an ID token says otherwise; None leaves a claim out."""
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.answer: dict[str, str] = {}
        """What the way back says otherwise."""
        self.before_reply: Callable[[Any], bool] = lambda _: False
        """May answer a request itself."""
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.rotations = 1
        self.key = _key(1)

    def rotate(self, *, renamed: bool = True) -> None:
        """Sign with another key from now on, and tell of no other."""
        self.rotations += 1
        key = _key(self.rotations)
        self.key = key if renamed else RSAKey(key.raw_value, key.raw_value, {"kid": str(self.key.kid)})

    def signed(self, claims: dict[str, Any]) -> str:
        """As it should be."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def signed_of_depth(self, _: dict[str, Any]) -> str:
        """With claims that nobody can read to their end."""
        deep = b'{"sub": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
        return jws.serialize_compact({"alg": "RS256", "kid": self.key.kid}, deep, self.key)

    def unsigned(self, claims: dict[str, Any]) -> str:
        """With the algorithm none."""
        parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
        return ".".join([*(_base64(part) for part in parts), ""])

    def signed_by_the_clients_secret(self, claims: dict[str, Any]) -> str:
        """With an algorithm that takes a secret that others know, too."""
        key = OctKey.import_key(CLIENT_SECRET, {"kid": str(self.key.kid)})
        return jwt.encode({"alg": "HS256", "kid": self.key.kid}, claims, key, algorithms=["HS256"])

    def signed_by_another(self, claims: dict[str, Any]) -> str:
        """With a key of somebody else, under the name of the right one."""
        other = RSAKey.generate_key(2048, {"kid": str(self.key.kid)})
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, other)

    def signed_with_another_payload(self, claims: dict[str, Any]) -> str:
        """Changed after it was signed."""
        header, _, signature = self.signed(claims).split(".")
        return ".".join([header, _base64(json.dumps(claims | {"sub": "9999"}).encode()), signature])

    # -- what it answers -------------------------------------------------------------------------------

    def discovery(self) -> dict[str, Any]:
        """Its addresses."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/logout",
            "code_challenge_methods_supported": ["S256"],
        } | self.metadata

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is led back to: somebody has logged in at once."""
        assert asked["response_type"] == "code"
        assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, self.callback)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{self.callback}?{urlencode({'code': code, 'state': asked['state']} | self.answer)}"

    def token(self, sent: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Tokens for a code, which it takes once, from the right client with the right verifier."""
        wanted = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {wanted}":
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(sent["code"], None)
        challenge = _base64(hashlib.sha256(sent["code_verifier"].encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or sent["redirect_uri"] != self.callback:
            return 400, {"error": "invalid_grant"}
        now = utcnow()
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": asked["nonce"],
            **({"auth_time": int(now.timestamp())} if "max_age" in asked else {}),
            **self.who,
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(told)}

    def keys(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [self.key.as_dict(private=False)]}


@cache
def _key(number: int) -> RSAKey:
    """Made once a process, for it takes as long as a login."""
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer
    padding = b""

    def do_GET(self) -> None:
        """Discovery, keys, and the page where one logs in."""
        address = urlsplit(self.path)
        self.issuer.asked.append(address.path)
        if self.issuer.before_reply(self):
            return
        if address.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            self.send_response(302)
            self.send_header("Location", self.issuer.authorize(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            answers: dict[str, Callable[[], dict[str, Any]]] = {
                "/logout": lambda: {"logged out": True},
                "/.well-known/openid-configuration": self.issuer.discovery,
                "/keys": self.issuer.keys,
            }
            self.reply(200, answers[address.path]())

    def do_POST(self) -> None:
        """Tokens."""
        self.issuer.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.issuer.before_reply(self):
            sent = {name: values[0] for name, values in parse_qs(body).items()}
            self.reply(*self.issuer.token(sent, self.headers.get("Authorization", "")))

    def reply(self, status: int, body: dict[str, Any]) -> None:
        """Send JSON."""
        data = json.dumps(body).encode() + self.padding
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(OSError):  # whoever asked may have gone
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.issuer = issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
