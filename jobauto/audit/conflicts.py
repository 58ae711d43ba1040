"""Two people change the same thing: what becomes of each field.

1. A form sends what its page showed (``seen``) beside what it asks for.
2. A field that was left as it was shown is not asked for: it keeps the value that others gave it meanwhile.
3. A field that this person changed, and somebody else since, to something else, is a conflict. Then nothing
   of the form is saved, and the person is told who did what.

Decided in the transaction of the change, on the row that it has locked. Without ``seen`` there is nothing to
compare: what is asked for is done.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from ..errors import InvalidInput
from . import queries

Seen = Mapping[str, str]
"""What a page showed of each field, as :func:`shown` writes it."""


@dataclass(frozen=True)
class Conflict:
    """A field that two people changed: who was faster, when, from what to what, and what was asked for."""

    field: str
    who: str | None
    at: datetime | None
    before: Any
    now: Any
    asked: Any


class EditConflict(InvalidInput):
    """Somebody else has changed the same fields meanwhile. Nothing was changed."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(
            "Nothing was saved: somebody else has changed this since you opened the page.", status=409
        )
        self.conflicts = conflicts


def shown(value: Any) -> str:
    """A stored value as forms carry it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):  # a datetime, too
        return value.isoformat()
    return "" if value is None else str(value)


def asked_for(asked: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    """The fields that were not left as the page showed them."""
    return {name: value for name, value in asked.items() if name not in seen or shown(value) != seen[name]}


def require_agreement(
    session: Session, subject: str, subject_id: object, stored: Any, asked: Mapping[str, Any], seen: Seen
) -> None:
    """Raise EditConflict where a field that is asked for was changed by somebody else since it was shown."""
    found = list(_conflicts(session, subject, subject_id, stored, asked, seen))
    if found:
        raise EditConflict(found)


def _conflicts(
    session: Session, subject: str, subject_id: object, stored: Any, asked: Mapping[str, Any], seen: Seen
) -> Iterator[Conflict]:
    for name, value in asked.items():
        now = shown(getattr(stored, name))
        if name in seen and now not in (seen[name], shown(value)):
            last = session.scalar(queries.last_change(subject, subject_id, name))
            who, at = (last.who, last.at) if last else (None, None)
            yield Conflict(name, who, at, seen[name], now, shown(value))
