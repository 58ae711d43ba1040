"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

1. Setting up: a secret is proposed, and stored only once a code of it was typed. Until then it is nowhere but
   on that person's page, encrypted for them.
2. A code is taken of the present 30 seconds or those beside them, each once, and none after a later one: the
   database compares and stores its counter in one statement.
3. A recovery code is taken once: its row is deleted.

Wrong codes are counted by :mod:`jobauto.auth.throttling`.
"""

import hashlib
import json
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import InvalidToken
from pyotp.utils import strings_equal
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from ..audit.service import Author, record
from ..extensions import db
from ..models import RecoveryCode, SecondFactor, User
from ..storage.connections import insert
from ..storage.encryption import ciphers
from . import throttling
from .sessions import Client

STEP_SECONDS = 30
BESIDE = 1
"""So many steps of 30 seconds a clock may be wrong."""
DIGITS = 6
RECOVERY_CODES = 10
PROPOSAL_LASTS = timedelta(minutes=15)
ISSUER = "jobauto"
"""What apps show beside the user's name."""

_PURPOSE = b"jobauto: secrets of second factors"


class WrongCode(Exception):
    """The code is wrong, or was used already; which of them is not told."""


class ProposalOver(Exception):
    """The proposed secret was made too long ago, or for somebody else."""


@dataclass(frozen=True)
class Proposal:
    """A secret that is not in use yet; ``sealed`` is what the form carries of it, for this user alone."""

    secret: str
    username: str
    sealed: str

    @property
    def uri(self) -> str:
        """What an app reads from a QR code."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=self.username, issuer_name=ISSUER)


def of(user: User) -> SecondFactor | None:
    """What a user has set up."""
    return db.session.get(SecondFactor, user.id)


def recovery_codes_left(user: User) -> int:
    """How many recovery codes a user has not used."""
    counted = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user.id)
    return db.session.scalar(counted) or 0


def propose(user: User, now: datetime) -> Proposal:
    """A secret for a user to take up."""
    secret = pyotp.random_base32()
    told = json.dumps([user.id, secret]).encode()
    sealed = ciphers(_PURPOSE).encrypt_at_time(told, int(now.timestamp())).decode()
    return Proposal(secret, user.username, sealed)


def proposed(user: User, sealed: str, now: datetime) -> Proposal:
    """The proposal that a form carries. Raises ProposalOver."""
    ttl = int(PROPOSAL_LASTS.total_seconds())
    try:
        told = ciphers(_PURPOSE).decrypt_at_time(sealed.encode(), ttl, int(now.timestamp()))
        user_id, secret = json.loads(told)
    except (InvalidToken, ValueError) as error:
        raise ProposalOver from error
    if user_id != user.id:
        raise ProposalOver
    return Proposal(secret, user.username, sealed)


def set_up(session: Session, user: User, proposal: Proposal, code: str, now: datetime) -> list[str]:
    """Take a proposed secret up; returns the recovery codes.

    Raises WrongCode, and ProposalOver where another one has been taken up meanwhile.
    """
    counter = _counter_of(proposal.secret, code, now)
    if counter is None:
        raise WrongCode
    encrypted = ciphers(_PURPOSE).encrypt(proposal.secret.encode()).decode()
    statement = insert(session.connection(), SecondFactor).values(
        user_id=user.id, secret=encrypted, last_counter=counter, created_at=now
    )
    taken = statement.on_conflict_do_nothing().returning(SecondFactor.user_id)
    if session.execute(taken).first() is None:
        raise ProposalOver
    record(session, Author(user.username, now), "user", user.username, [("second_factor", None, "on")])
    return renew_recovery_codes(session, user)


def renew_recovery_codes(session: Session, user: User) -> list[str]:
    """New recovery codes instead of the former ones. Only hashes are kept, so they can be shown this once."""
    codes = [b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def give_code(session: Session, user: User, code: str, client: Client) -> bool:
    """Take a code, or count a wrong one, in a transaction that has locked the user and is to be committed.

    So codes of a user are looked at one after the other, however many come at once. Raises Throttled.
    """
    subject = throttling.Subject.of_second_factor(user.id, client.address, client.known_as(user))
    throttling.check_throttle(subject, client.now)
    if taken := take_code(session, user, code, client.now):
        throttling.succeed(session, subject, client.now)
    else:
        throttling.count_in(session, subject, client.now)
    return taken


def take_code(session: Session, user: User, code: str, now: datetime) -> bool:
    """Whether a code is right, and taken for the first time; of the app, or one for recovery."""
    typed = "".join(filter(str.isalnum, code.lower()))
    if len(typed) == DIGITS and typed.isdecimal():
        return _take_of_app(session, user, typed, now)
    used = session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(typed))
        .returning(RecoveryCode.id)
    ).first()
    if used is not None:
        record(session, Author(user.username, now), "user", user.username, [("recovery_code", None, "used")])
    return used is not None


def remove(session: Session, user: User) -> bool:
    """Take the second factor and its recovery codes away; whether there was one."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    gone = delete(SecondFactor).where(SecondFactor.user_id == user.id).returning(SecondFactor.user_id)
    return session.execute(gone).first() is not None


def _take_of_app(session: Session, user: User, code: str, now: datetime) -> bool:
    stored = session.scalar(select(SecondFactor.secret).where(SecondFactor.user_id == user.id))
    if stored is None:
        return False
    try:
        secret = ciphers(_PURPOSE).decrypt(stored).decode()
        renewed = ciphers(_PURPOSE).rotate(stored).decode()  # of a former secret key: under the newest
    except InvalidToken:
        return False  # the secret key has changed: a recovery code still opens
    counter = _counter_of(secret, code, now)
    if counter is None:
        return False
    once = update(SecondFactor).where(SecondFactor.user_id == user.id, SecondFactor.last_counter < counter)
    taken = once.values(last_counter=counter, secret=renewed).returning(SecondFactor.user_id)
    return session.execute(taken).first() is not None


def _counter_of(secret: str, code: str, now: datetime) -> int | None:
    """The 30 seconds that a code is of; None where it is wrong."""
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    typed = "".join(filter(str.isalnum, code))
    near = range(present - BESIDE, present + BESIDE + 1)
    return next((counter for counter in near if strings_equal(typed, totp.generate_otp(counter))), None)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
