"""Keeping changes, in the transaction of the change itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..models import Event

LONGEST = 100_000
"""So much is kept of a text: a page shows many, and the groups of a policy may be megabytes."""
Difference = tuple[str, Any, Any]
"""(field, before, after)."""


@dataclass(frozen=True)
class Author:
    """Who changes something, and when; without a name it is the program itself.

    ``token`` names the API token that they use, if they do; ``bulk_id`` the action on several jobs of which
    this is a part.
    """

    name: str | None
    now: datetime
    token: str | None = None
    bulk_id: int | None = None


def record(
    session: Session, author: Author, subject: str, subject_id: object, changes: Iterable[Difference]
) -> None:
    """Keep changes of one thing."""
    session.add_all(
        Event(
            at=author.now,
            who=author.name,
            token=author.token,
            bulk_id=author.bulk_id,
            subject=subject,
            subject_id=str(subject_id),
            field=field,
            before=_as_text(before),
            after=_as_text(after),
        )
        for field, before, after in changes
    )


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
