"""OpenID Connect: asking an issuer who somebody is, by the authorization code flow.

1. The issuer's addresses are read from its discovery document, when somebody first needs them.
2. :meth:`Client.begin` leads the browser there, with state, nonce and PKCE challenge of this one login.
3. The browser comes back with a code. :meth:`Client.finish` exchanges it, and checks the ID token: signed by
   an asymmetric key of the issuer, for this program, by this issuer, with this nonce, and in time.

The issuer is asked with timeouts, follows no redirect, and its replies are bounded. Loads Authlib: only where
somebody logs in this way.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from ..storage.configuration import Issuer
from ..turns import NoTurn, Turns

METADATA_LASTS = timedelta(hours=1)
CONNECT_SECONDS = 5
SILENT_SECONDS = 5
REPLY_SECONDS = 10
LONGEST_REPLY = 512 * 1024
AT_ONCE = 3
"""So many requests of a process wait for the issuer at once: anybody may cause them."""
IN_LINE = 3
"""So many more wait for their turn; the next one is told at once."""
TURN_SECONDS = 1
SLOW_SECONDS = 1
LEFT_ALONE_SECONDS = 20
"""So long an issuer is not asked that has failed, and took its time to do so."""
CLOCK_SECONDS = 60
"""So far the clocks of the issuer and of this machine may differ."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""None that takes the client's secret for a key, nor ``none``."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
PROMPTS = {"https://accounts.google.com": "select_account"}
"""What an issuer is told that is to ask somebody anew; others know ``login``."""
AUTH_METHODS = "token_endpoint_auth_methods_supported"
_NO_ANSWER = (requests.RequestException, HTTPError, ValueError, RecursionError)
"""Among them JSON that is none, or is nested too deep to be read."""


class IssuerUnavailable(Exception):
    """The issuer does not answer, or not as OpenID Connect says."""


class NotProven(Exception):
    """The issuer's answer shows nobody; says why, for the log."""


@dataclass(frozen=True)
class Flow:
    """What one login at the issuer must come back with; ``anew``: the person was to be asked."""

    state: str
    nonce: str
    verifier: str
    anew: bool = False


class Client:
    """This program at its issuer. Remembers the issuer's addresses and keys for a while."""

    def __init__(self, issuer: Issuer, redirect_uri: str) -> None:
        self.issuer = issuer
        self.redirect_uri = redirect_uri
        self._metadata: dict[str, Any] = {}
        self._read_at: datetime | None = None
        self._keys: KeySet | None = None
        self._turns = Turns(AT_ONCE, IN_LINE)
        self._left_alone_until = 0.0

    def begin(self, now: datetime, *, anew: bool = False) -> tuple[str, Flow]:
        """Where the browser is to go, and what it must come back with. Raises IssuerUnavailable.

        With ``anew`` the issuer is to ask the person, even if it knows the browser.
        """
        flow = Flow(generate_token(43), generate_token(43), generate_token(64), anew)
        asking = {"max_age": 0, "prompt": PROMPTS.get(self.issuer.url, "login")} if anew else {}
        address, _ = self._session().create_authorization_url(
            self._discovered(now)["authorization_endpoint"],
            state=flow.state,
            nonce=flow.nonce,
            code_verifier=flow.verifier,
            **asking,
        )
        return address, flow

    def finish(self, flow: Flow, code: str, named_issuer: str | None, now: datetime) -> dict[str, Any]:
        """The claims of the ID token that a code is exchanged for.

        ``named_issuer`` is the ``iss`` that came with the code. Raises IssuerUnavailable and NotProven.
        """
        metadata = self._discovered(now)
        says_who = metadata.get("authorization_response_iss_parameter_supported") is True
        if named_issuer != self.issuer.url and (says_who or named_issuer is not None):
            raise NotProven("the code is another issuer's")
        token = self._exchange(metadata, code, flow)
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise NotProven("there is no ID token")
        try:
            return self._checked(metadata, id_token, token.get("access_token"), flow, now)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise NotProven(f"the ID token is not good: {type(error).__name__} {error}") from error

    def end_session_url(self, back_to: str, now: datetime) -> str | None:
        """Where one logs out at the issuer; None where it says nothing of it. Raises IssuerUnavailable."""
        endpoint = self._discovered(now).get("end_session_endpoint")
        if not isinstance(endpoint, str) or not is_as_safe(endpoint, self.issuer.url):
            return None
        # No ID token as a hint: it would stand in addresses and logs.
        told = urlencode({"client_id": self.issuer.client_id, "post_logout_redirect_uri": back_to})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{told}"

    def _discovered(self, now: datetime) -> dict[str, Any]:
        if self._read_at is None or now - self._read_at > METADATA_LASTS:
            found = self._get(f"{self.issuer.url.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer.url:
                raise IssuerUnavailable("the discovery document is another issuer's")
            if not all(is_as_safe(found.get(name), self.issuer.url) for name in ENDPOINTS):
                raise IssuerUnavailable("the discovery document lacks an address, or has one without TLS")
            found[AUTH_METHODS] = found.get(AUTH_METHODS) or ["client_secret_basic"]
            if not isinstance(found[AUTH_METHODS], list):
                raise IssuerUnavailable("the discovery document does not list its ways to authenticate")
            self._metadata, self._read_at, self._keys = found, now, None
        return self._metadata

    def _exchange(self, metadata: dict[str, Any], code: str, flow: Flow) -> dict[str, Any]:
        is_basic = "client_secret_basic" in metadata[AUTH_METHODS]
        method = "client_secret_basic" if is_basic else "client_secret_post"
        with self._turn(), self._session(method) as session:
            try:
                token: dict[str, Any] = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=flow.verifier,
                )
            except OAuthError as error:
                raise NotProven(f"the code was refused: {error.error}") from error
            except (*_NO_ANSWER, TypeError, OverflowError) as error:
                raise IssuerUnavailable(f"the code could not be exchanged: {type(error).__name__}") from error
        return token

    def _checked(
        self, metadata: dict[str, Any], id_token: str, access_token: Any, flow: Flow, now: datetime
    ) -> dict[str, Any]:
        try:
            decoded = jwt.decode(id_token, self._keys_of(metadata), algorithms=ALGORITHMS)
        except (InvalidKeyIdError, BadSignatureError):  # its keys may have changed since they were read
            self._keys = None
            decoded = jwt.decode(id_token, self._keys_of(metadata), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self.issuer.url},
                "aud": {"essential": True, "value": self.issuer.client_id},
                "sub": {"essential": True},
            },
            {"nonce": flow.nonce, "client_id": self.issuer.client_id, "access_token": access_token},
        )
        claims.validate(now=int(now.timestamp()), leeway=CLOCK_SECONDS)
        if flow.anew and "auth_time" not in claims and _says_when(metadata):
            # The browser has carried the question there, and whoever sits before it may have left it out.
            raise NotProven("auth_time is missing, though it was asked for")
        return dict(decoded.claims)

    def _keys_of(self, metadata: dict[str, Any]) -> KeySet:
        if self._keys is None:
            found = self._get(metadata["jwks_uri"])
            told = found.get("keys")
            keys = [key for each in told for key in _understood(each)] if isinstance(told, list) else []
            if not keys:
                raise IssuerUnavailable(f"{metadata['jwks_uri']}: no keys")
            self._keys = KeySet(keys)
        return self._keys

    def _get(self, address: str) -> dict[str, Any]:
        try:
            with self._turn(), self._session() as session:
                response = session.get(address, withhold_token=True)
            response.raise_for_status()
            found = response.json()
        except _NO_ANSWER as error:
            raise IssuerUnavailable(f"{address}: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise IssuerUnavailable(f"{address}: no JSON object")
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # Whoever waits here holds a thread that pages need, and anybody may come.
        if time.monotonic() < self._left_alone_until:
            raise IssuerUnavailable("it did not answer a moment ago")
        try:
            with self._turns.turn(TURN_SECONDS), self._patience():
                yield
        except NoTurn as error:
            raise IssuerUnavailable("others are still waiting for its answer") from error

    @contextmanager
    def _patience(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except (IssuerUnavailable, *_NO_ANSWER):
            if time.monotonic() - began > SLOW_SECONDS:
                self._left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
            raise

    def _session(self, method: str = "client_secret_basic") -> OAuth2Session:
        session = OAuth2Session(
            self.issuer.client_id,
            self.issuer.client_secret,
            token_endpoint_auth_method=method,
            scope=self.issuer.scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )
        session.max_redirects = 0
        session.headers["Accept-Encoding"] = "identity"
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Bounded())
        return session


def is_as_safe(address: Any, issuer_url: str) -> bool:
    """Whether what an issuer calls an address is one, and without TLS only if the issuer itself is.

    That is on this machine.
    """
    schemes = {"https", urlsplit(issuer_url).scheme}
    try:
        return isinstance(address, str) and urlsplit(address).scheme in schemes
    except ValueError:
        return False


def _says_when(metadata: dict[str, Any]) -> bool:
    """Whether an issuer tells when somebody has shown who they are, where it is asked."""
    told = metadata.get("claims_supported")
    return isinstance(told, list) and "auth_time" in told


def _understood(key: Any) -> list[Key]:
    """A key of the issuer; none of one of another kind, which is left out (RFC 7517, 5)."""
    try:
        return KeySet.import_key_set({"keys": [key]}).keys
    except (JoseError, LookupError, ValueError, TypeError, AttributeError):
        return []


class _Bounded(HTTPAdapter):
    """Waits for a reply, and reads it, only so long and so far.

    The timeouts of ``requests`` begin anew with each byte, also of a head that comes drop by drop. So another
    thread hangs up at the end of the time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[Timer] = []

    def get_connection_with_tls_context(self, *asked: Any, **named: Any) -> Any:
        pool, ends = super().get_connection_with_tls_context(*asked, **named), self._ends
        kind: Any = pool.ConnectionCls

        class Ending(kind):  # type: ignore[misc] # whichever of the two it is
            def connect(self) -> None:
                super().connect()
                ends.append(Timer(REPLY_SECONDS, _hang_up, [self.sock]))
                ends[-1].start()

        pool.ConnectionCls = Ending
        return pool

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        options |= {"stream": True, "timeout": (CONNECT_SECONDS, SILENT_SECONDS)}
        try:
            return self._read(super().send(request, **options))
        finally:
            for end in self._ends:
                end.cancel()

    def _read(self, response: requests.Response) -> requests.Response:
        body = bytearray()
        while piece := response.raw.read1(64 * 1024, decode_content=False):
            body += piece
            if len(body) > LONGEST_REPLY:
                response.close()
                raise requests.RequestException("the reply is too long")
        response._content = bytes(body)
        response._content_consumed = True  # as requests itself marks what it has read
        return response


def _hang_up(connection: socket) -> None:
    with suppress(OSError):  # it may have come to its end just now
        connection.shutdown(SHUT_RDWR)
