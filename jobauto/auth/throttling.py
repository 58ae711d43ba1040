"""Failed logins are slowed down, in every process alike: the database counts.

A browser that has logged in as a user before brings a cookie that says so (:mod:`jobauto.auth.devices`), and
has a count of its own. Whoever comes without counts for the account, for the address, and for both together.
So nobody who guesses at a password can keep its user out of their own browser. Nor can anybody at one address
keep them out of another browser elsewhere for long: the pair of account and address comes to wait for longer
than the account's count lasts.

1. Before a password is looked at, the counts say whether to wait. What is refused counts for the address.
2. A wrong password raises the counts, each by one statement, so that none is lost.
3. A right one counts only if nobody has to wait by then: it is looked at again in the transaction of what
   the password was given for. So of many guesses at once no more than the free ones can succeed.
4. Success ends the count by which it came in: that of the browser, or those of account and pair.

Names that nobody has are counted like others. Attempts during a wait prolong none. While SQLite's write lock
is held by an import or a run, a wrong login waits for it and is refused (503) if it cannot be counted: there
are no uncounted guesses.
"""

import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from sqlalchemy import case, delete, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import LoginFailure
from ..storage.configuration import secret_key
from ..storage.connections import insert, write

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""So long after its last failure an account's count begins anew. Whoever waits for that after each 14 tries
has some 300 a day, which is nothing among passwords."""
CODES_FORGOTTEN_AFTER = timedelta(days=1)
"""Of codes there are only a million: waiting for this gives fewer tries than the longest wait does."""

LONGEST_WAIT_OF_PAIR = timedelta(hours=2)
"""Of one address that goes on guessing at one account: longer than the account's count lasts."""
PAIR_FORGOTTEN_AFTER = timedelta(days=1)

ADDRESS_FAILURES = 50
ADDRESS_WINDOW = timedelta(minutes=15)
"""Many, because the people of an office share one address."""


class Throttled(Exception):
    """Too many passwords were wrong: this one was not looked at. Says for how long, as ``seconds`` does."""

    def __init__(self, until: datetime, now: datetime) -> None:
        self.seconds = ceil((until - now).total_seconds())
        super().__init__(self.sentence("passwords"))

    def sentence(self, what: str) -> str:
        """What was wrong too often, and when to try again."""
        count, unit = (self.seconds, "second") if self.seconds < 60 else (ceil(self.seconds / 60), "minute")
        return f"Too many wrong {what}. Try again in {count} {unit}{'s' if count > 1 else ''}."


@dataclass(frozen=True)
class Subject:
    """What is counted, as keyed hashes: the account or a browser that knows it, the address, and both."""

    account: str
    address: str | None
    pair: str | None
    forgotten_after: timedelta = FORGOTTEN_AFTER

    @classmethod
    def of(cls, username: str, address: str) -> "Subject":
        """Somebody of whom nothing is known. What is no address, as behind a socket, is not counted."""
        account, network = _hash(f"account {username.lower()}"), network_of(address)
        if network is None:
            return cls(account, None, None)
        pair = account[:_PREFIX] + _hash(f"pair {network}")[_PREFIX:]
        return cls(account, _hash(f"address {network}"), pair)

    @classmethod
    def of_device(cls, username: str, device: str) -> "Subject":
        """A browser that has logged in as that user before; its address does not matter."""
        account = _hash(f"account {username.lower()}")
        return cls(account[:_PREFIX] + _hash(f"device {device}")[_PREFIX:], None, None)

    @classmethod
    def of_second_factor(cls, user_id: int, address: str, device: str | None) -> "Subject":
        """The codes of a user, who has given the password already: no name that is typed is counted so.

        ``device`` is a browser that has logged in as that user before: it has a count of its own here, too.
        """
        account = _hash(f"second factor {user_id}")
        if device is not None:
            account = account[:_PREFIX] + _hash(f"device {device}")[_PREFIX:]
            return cls(account, None, None, CODES_FORGOTTEN_AFTER)
        return cls(account, cls.of("", address).address, None, CODES_FORGOTTEN_AFTER)


_PREFIX = 32
"""So many digits are the account's in all that is counted of it, by which it can be forgotten together."""


def network_of(address: str) -> str | None:
    """An address as far as it can be counted: of IPv6 the network, for anybody has 2^64 of those."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), 64), strict=False))


def wait_after(failures: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """How long after so many failures in a row the next try is looked at."""
    over = failures - FREE_FAILURES
    return min(timedelta(seconds=2 ** min(over, 30)), longest) if over > 0 else timedelta(0)


def check_throttle(subject: Subject, now: datetime) -> None:
    """Raise Throttled where a try must wait."""
    columns = (LoginFailure.subject, LoginFailure.failures, LoginFailure.last_at, LoginFailure.forget_at)
    asked = select(*columns).where(
        LoginFailure.subject.in_([subject.account, subject.address, subject.pair]),
        LoginFailure.forget_at > now,
    )
    waits = [now]
    for found, failures, last_at, forget_at in db.session.execute(asked):
        if found == subject.account:
            waits.append(last_at + wait_after(failures))
        elif found == subject.pair:
            waits.append(last_at + wait_after(failures, LONGEST_WAIT_OF_PAIR))
        elif failures >= ADDRESS_FAILURES:
            waits.append(forget_at)
    if max(waits) > now:
        raise Throttled(max(waits), now)


def count_failure(subject: Subject, now: datetime) -> None:
    """Count a wrong password."""
    with write() as session:
        count_in(session, subject, now)


def count_in(session: Session, subject: Subject, now: datetime) -> None:
    """Count a wrong password or code, in the transaction in which it was looked at."""
    _count(session, subject.account, now, now + subject.forgotten_after, prolong=True)
    if subject.pair:
        _count(session, subject.pair, now, now + PAIR_FORGOTTEN_AFTER, prolong=True)
    if subject.address:
        _count(session, subject.address, now, now + ADDRESS_WINDOW, prolong=False)
    worthless = select(LoginFailure.subject).where(LoginFailure.forget_at <= now)
    session.execute(
        delete(LoginFailure).where(
            LoginFailure.subject.in_(worthless.with_for_update(skip_locked=True).scalar_subquery())
        )
    )


def count_refused(subject: Subject, now: datetime) -> None:
    """Count a try that was not looked at, for its address alone, as long as that is not refused anyway."""
    failures = select(LoginFailure.failures).where(
        LoginFailure.subject == subject.address, LoginFailure.forget_at > now
    )
    if subject.address is None or (db.session.scalar(failures) or 0) >= ADDRESS_FAILURES:
        return
    with suppress(OperationalError), write(nowait=True) as session:  # nothing was guessed: it need not wait
        _count(session, subject.address, now, now + ADDRESS_WINDOW, prolong=False)


def succeed(session: Session, subject: Subject, now: datetime) -> None:
    """End the counts of a right password, in the transaction of what it was for. Raises Throttled."""
    check_throttle(subject, now)
    session.execute(delete(LoginFailure).where(LoginFailure.subject.in_([subject.account, subject.pair])))


def forget_account(session: Session, username: str) -> None:
    """End all counts of an account: its own, and those of it and an address or a browser."""
    account = Subject.of(username, "").account
    session.execute(delete(LoginFailure).where(LoginFailure.subject.startswith(account[:_PREFIX])))


def _count(session: Session, subject: str, now: datetime, forget_at: datetime, *, prolong: bool) -> None:
    stored = LoginFailure.forget_at
    statement = insert(session.connection(), LoginFailure).values(
        subject=subject, failures=1, last_at=now, forget_at=forget_at
    )
    new = statement.excluded  # inside a CASE a plain value would have no type: SQLite would keep text
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[LoginFailure.subject],
            set_={
                "failures": case((stored <= now, new.failures), else_=LoginFailure.failures + 1),
                "last_at": new.last_at,
                "forget_at": new.forget_at if prolong else case((stored <= now, new.forget_at), else_=stored),
            },
        )
    )


def _hash(text: str) -> str:
    return hmac.digest(secret_key().encode(), text.encode(errors="replace"), "sha256").hex()
