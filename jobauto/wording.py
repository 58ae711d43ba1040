"""Words that all parts of the program write in the same way. Imports nothing of ours."""


def pluralize(count: int, noun: str) -> str:
    """``1 day``, ``1,234 days``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def label_of(code: str) -> str:
    """A code as people read it: ``in_progress`` as ``In progress``."""
    return code.replace("_", " ").capitalize()
