"""Who of several senders of the same form is the first: the database decides, by the digest's key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, not_, select, update

from ..extensions import db
from ..models import SentForm
from . import drafts
from .connections import insert, write

WINDOW = timedelta(seconds=10)
FORGOTTEN_AFTER = timedelta(minutes=1)
PLACE = 24
"""So many digits of a digest stand for who sends to which address; the others for all that was sent."""


@dataclass(frozen=True)
class Sending:
    """One sending of a form; ``sent_at`` tells it from a later one of the same digest."""

    digest: str
    sent_at: datetime


@dataclass(frozen=True)
class Outcome:
    """Where the first sending led, and what it said; ``location`` is empty while it is worked on."""

    location: str | None
    messages: list[list[str]]


def claim(sending: Sending) -> bool:
    """Whether this is the first sending of its digest within the window; committed at once."""
    with write() as session:
        _forget_old_ones(sending.sent_at)
        statement = insert(session.connection(), SentForm).values(
            digest=sending.digest, sent_at=sending.sent_at, location=None, messages=[]
        )
        new = statement.excluded
        # Both ways: the clocks of two machines differ a little.
        recent = SentForm.sent_at.between(sending.sent_at - WINDOW, sending.sent_at + WINDOW)
        won = session.execute(
            statement.on_conflict_do_update(
                index_elements=[SentForm.digest],
                set_={"sent_at": new.sent_at, "location": None, "messages": new.messages},
                where=not_(recent),
            ).returning(SentForm.digest)
        )
        is_first = won.one_or_none() is not None
        if is_first:
            done = select(SentForm.digest).where(*_done_before_at_this_place(sending))
            unlocked = done.with_for_update(skip_locked=True).scalar_subquery()  # one that is claimed is not
            session.execute(delete(SentForm).where(SentForm.digest.in_(unlocked)))
        return is_first


def outcome(digest: str) -> Outcome | None:
    """What is known of the first sending; None where it was given back."""
    db.session.rollback()  # else this session goes on seeing the database as it was
    asked = select(SentForm.location, SentForm.messages).where(SentForm.digest == digest)
    row = db.session.execute(asked).one_or_none()
    return Outcome(row.location, row.messages) if row else None


def settle(sending: Sending, location: str, messages: list[list[str]], draft_of: tuple[int, str]) -> None:
    """Keep where a sending has led; what had been typed into its form is no draft any more."""
    with write() as session:
        drafts.forget(session, *draft_of)
        session.execute(update(SentForm).where(*_this(sending)).values(location=location, messages=messages))


def give_back(sending: Sending) -> None:
    """A sending that was refused has done nothing: the same may be sent again."""
    with write() as session:
        session.execute(delete(SentForm).where(*_this(sending)))


def _done_before_at_this_place(sending: Sending) -> tuple[ColumnElement[bool], ...]:
    # What they did is no longer how things are, so doing it again is no repetition.
    same_place = SentForm.digest.startswith(sending.digest[:PLACE])
    return same_place, SentForm.digest != sending.digest, SentForm.location.is_not(None)


def _this(sending: Sending) -> tuple[ColumnElement[bool], ...]:
    return SentForm.digest == sending.digest, SentForm.sent_at == sending.sent_at


def _forget_old_ones(now: datetime) -> None:
    old = select(SentForm.digest).where(SentForm.sent_at < now - FORGOTTEN_AFTER)
    unlocked = old.with_for_update(skip_locked=True).scalar_subquery()
    db.session.execute(delete(SentForm).where(SentForm.digest.in_(unlocked)))
