"""The notes of jobs in which a search has found its words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..audit import queries as audit
from ..extensions import db
from ..models.folding import fold, words_of
from .excerpts import Part, excerpt
from .queries import JOB_NUMBER

LOOKED_INTO = 1000
"""Notes of the jobs of a page: the newest. A job may have any number of them."""


@dataclass(frozen=True)
class FoundNote:
    """Whose note it is and of when, and the words around what was found."""

    who: str | None
    at: datetime
    parts: Sequence[Part]


def found_notes(job_ids: Iterable[int], search: str) -> Mapping[int, FoundNote]:
    """By the number of its job, the note that has most of the words; of several the newest.

    A number with ``#`` is that of a job, and not looked for in notes.
    """
    words = [word for word in words_of(search) if not (word[0] == "#" and JOB_NUMBER.fullmatch(word))]
    folded = set(filter(None, map(fold, words)))
    most: dict[int, int] = {}
    found: dict[int, FoundNote] = {}
    for note in db.session.scalars(audit.notes_of(job_ids).limit(LOOKED_INTO)) if folded else ():
        job_id, text = int(note.subject_id), note.after or ""
        folded_text = fold(text)
        count = sum(word in folded_text for word in folded)
        if count > most.get(job_id, 0):
            most[job_id] = count
            found[job_id] = FoundNote(note.who, note.at, excerpt(text, folded))
    return found
