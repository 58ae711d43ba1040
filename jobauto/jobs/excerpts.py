"""The words of a note around those that a search has found in it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..models.folding import fold

AROUND = 60
"""About so many characters stand before the first word that was found, and after the last."""
LONGEST = 240


@dataclass(frozen=True)
class Part:
    """A piece of a note; ``is_found`` where the search has it."""

    text: str
    is_found: bool = False


def excerpt(text: str, words: Iterable[str]) -> list[Part]:
    """A note as far as it stands around the words, which are sought as searches do; none without any.

    It is cut between words, and ``…`` stands for what is left out.
    """
    text = " ".join(text.split())
    if not (found := _found(text, words)):
        return []
    first = found[0][0]
    within = [each for each in found if each[1] <= first + LONGEST] or [(first, first + LONGEST)]
    start, end = _start(text, first), _end(text, within[-1][1])
    parts = [Part("… ")] if start else []
    for begins, ends in within:
        parts += [Part(text[start:begins]), Part(text[begins:ends], is_found=True)]
        start = ends
    parts += [Part(text[start:end]), Part(" …" if end < len(text) else "")]
    return [part for part in parts if part.text]


def _found(text: str, words: Iterable[str]) -> list[tuple[int, int]]:
    """From where to where the words stand, in order and apart from each other."""
    letters = [(letter, place) for place, character in enumerate(text) for letter in fold(character)]
    folded = "".join(letter for letter, _ in letters)
    places: set[int] = set()
    for word in filter(None, map(fold, words)):
        at = folded.find(word)
        while at >= 0:
            last = at + len(word) - 1
            places.update(range(letters[at][1], letters[last][1] + 1))
            at = folded.find(word, last + 1)
    return _runs(sorted(places))


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for place in places:
        if found and found[-1][1] == place:
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return found


def _start(text: str, first: int) -> int:
    """Where the piece begins: after a blank, if there is one."""
    earliest = max(0, first - AROUND)
    if not earliest:
        return 0
    blank = text.find(" ", earliest - 1, first)
    return earliest if blank < 0 else blank + 1


def _end(text: str, last: int) -> int:
    latest = min(len(text), last + AROUND)
    if latest == len(text):
        return latest
    blank = text.rfind(" ", last, latest + 1)
    return latest if blank < 0 else blank
