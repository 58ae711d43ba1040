"""How far an import is, in words: what its page shows first, and what the page's script asks for."""

from datetime import datetime, timedelta
from typing import NamedTuple

from ..imports import canceling, undo
from ..models import Import
from ..wording import pluralize
from .filters import size

EVERY, SELDOM = 2, 20
"""So many seconds apart a page asks; seldom when the import has waited for long, for then it will wait on."""
SOON = timedelta(minutes=10)


class ImportProgress(NamedTuple):
    """How many bytes of how many were read, and the texts of the page that change while it goes on.

    With another ``state`` the rest of the page is another one.
    """

    state: str
    is_under_way: bool
    every: int
    done: int
    size: int
    texts: dict[str, str]


def progress_of(entry: Import, now: datetime) -> ImportProgress:
    """How far an import, or its undo, is."""
    state = [entry.status]
    state += ["checks"] if checks(entry) else []
    state += ["canceled"] if canceling.is_being_canceled(entry) else []
    state += ["undoing"] if undo.is_under_way(entry) else []
    return ImportProgress(
        state=" ".join(state),
        is_under_way=entry.status in canceling.CANCELABLE or undo.is_under_way(entry),
        every=SELDOM if now - (entry.decided_at or entry.requested_at) > SOON else EVERY,
        done=entry.done,
        size=max(entry.size, entry.done, 1),
        texts={
            "read": _read(entry),
            "rows": _rows(entry, now),
            **{name: f"{getattr(entry, name):,}" for name in ("new", "updated", "unchanged", "rejected")},
            "undone": f"{pluralize(entry.removed + entry.restored + entry.left, 'reading')} done so far.",
        },
    )


def checks(entry: Import) -> bool:
    """Whether a file is looked at before anything of it is stored."""
    is_told_of = entry.kind == "readings" and entry.status in ("queued", "running", "canceled")
    is_checked = entry.dry_run or entry.is_checked or entry.way in ("command", "api")
    return is_told_of and not is_checked


def _read(entry: Import) -> str:
    if not entry.size:  # of a command, whose file is nobody else's to know of
        return ""
    share = 100 * entry.done // max(entry.size, entry.done, 1)
    does = "checked; nothing is stored before" if checks(entry) else "read"
    return f"{size(entry.done)} of {size(entry.size)} ({share} %) {does}."


def _rows(entry: Import, now: datetime) -> str:
    seconds = (now - entry.pass_began_at).total_seconds() if entry.pass_began_at else 0
    if not entry.rows or seconds <= 0:
        return ""
    a_second = f"{int(float(f'{entry.rows / seconds:.2g}')):,}"
    return f"{pluralize(entry.rows, 'row')} so far, about {a_second} a second."
