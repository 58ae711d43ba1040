"""The site that a file's name says."""

from fnmatch import fnmatchcase

SITE = "{site}"
LONGEST_NAME = 255
"""As file systems have it. An archive, or an address of the API, may say far more."""


def site_in(file_name: str, pattern: str) -> str | None:
    """What stands at ``{site}``, ``*`` standing for anything; None where the name is not such.

    Of several ways to read it, that in which the site begins first and is shortest.
    """
    before, _, after = (part for part in map(_glob, pattern.partition(SITE)))
    for start in range(len(file_name)):
        if fnmatchcase(file_name[:start], before):
            for end in range(start + 1, len(file_name) + 1):
                if fnmatchcase(file_name[end:], after):
                    return file_name[start:end]
    return None


def _glob(text: str) -> str:
    """A pattern in which only ``*`` is no plain text."""
    return text.replace("[", "[[]").replace("?", "[?]")
