"""Passwords: which are refused, and how they are kept."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from ..turns import NoTurn, Turns

SHORTEST = 8
LONGEST = 200
RULE = f"{SHORTEST} to {LONGEST} characters of any kind; 15 or more are better. Not one that many people use."
"""What a page says beside the field, and a command when it refuses."""

METHOD = "scrypt:32768:8:3"
"""N, r and p: the least that OWASP's Password Storage Cheat Sheet advises where N is 2^15 (32 MiB)."""

CONTEXT = frozenset({"jobauto", "jobautomation", "nocoms", "zeroreads"})
"""Words that anybody would try here first, as letters and digits only; the user's own name is another."""

COMMON = frozenset(FREQUENCY_LISTS["passwords"])
"""The 30,000 most frequent passwords of known leaks, some 11,600 of them long enough, in small letters."""

AT_ONCE = 2
"""So many passwords of a process are hashed at once, and others wait: anybody may send many, and each takes
its 32 MiB meanwhile. More at once would be no faster."""

STRANGERS_AT_ONCE = AT_ONCE - 1
"""So many of these are strangers': whoever is known finds a turn that none of them has."""

IN_LINE = 3
"""So many more of strangers wait for their turn; the next one is told at once."""

OF_A_USER = 2
"""So many of one user who has shown a password before have their turn or wait for it: a button pressed twice
is no more, and whoever sends many keeps nobody else waiting."""

_turns = BoundedSemaphore(AT_ONCE)
_strangers = Turns(STRANGERS_AT_ONCE, IN_LINE)
_of_users: defaultdict[int, Turns] = defaultdict(lambda: Turns(OF_A_USER))
_NOBODY = f"{METHOD}$" + "x" * 16 + "$" + "0" * 128


class Busy(Exception):
    """So many strangers wait, or so many times the same user, that one more password was not looked at."""

    SECONDS = 5
    """After which it is worth another try."""

    def __init__(self) -> None:
        super().__init__("Many people are logging in. Nothing was done: try again in a few seconds.")


@contextmanager
def in_line(user_id: int | None = None) -> Iterator[None]:
    """The line in which one waits for one's turn: a user's own, or that of all strangers. Raises Busy.

    Whoever waits holds a thread that pages need, strangers may be any number, and a user may send any.
    """
    try:
        with (_strangers if user_id is None else _of_users[user_id]).turn():
            yield
    except NoTurn as error:
        raise Busy from error


def reason_against(password: str, username: str) -> str | None:
    """Why a password is refused, in a sentence; None where it is not."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if password.lower() in COMMON:
        return "This is one of the passwords that many people use. Choose another one."
    if _bare(password) in CONTEXT | {_bare(username)}:
        return "A password must not be the user name or the name of this program."
    return None


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _turns:
        return generate_password_hash(password, METHOD)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password, compared as it was typed. Takes as long where there is no user."""
    looked_at = password if len(password) <= LONGEST else ""  # nobody has none, and none takes no longer
    with _turns:
        return check_password_hash(kept or _NOBODY, looked_at) and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than a new one would be."""
    return not kept.startswith(f"{METHOD}$")


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
