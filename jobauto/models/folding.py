"""Texts as they are compared in a search: without case, accents, blanks and punctuation.

Done here and not by the databases, which differ in what they take for a letter.
"""

import unicodedata

_NO_ACCENTS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Letters with a stroke, and others that Unicode does not take apart."""


def fold(text: str) -> str:
    """``ne463pa`` for ``NE46 3PA``, ``orsted`` for ``Ørsted``, nothing for ``&``."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in apart if character.isalnum()).translate(_NO_ACCENTS)


def fold_texts(*texts: str) -> str:
    """Several texts, a blank between them, so that no word is found across two."""
    return " ".join(fold(text) for text in texts)


def words_of(search: str) -> list[str]:
    """The words of a search, as they were typed; without those of punctuation alone, if there are others."""
    words = search.split()
    return [word for word in words if fold(word)] or words
