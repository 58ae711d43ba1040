"""What of a file is left out without being refused: what its profile does not want, and what has no value."""

from collections import Counter

from ..wording import pluralize

_CONDITIONS = "by the profile's conditions"
_NO_VALUE = "without a value"


class LeftOut:
    """Counts it while the file is read. ``noun`` is what is counted: rows, cells of a row, or readings."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def by_conditions(self, count: int, noun: str = "row") -> None:
        """So many do not meet the profile's conditions."""
        self._counts[noun, _CONDITIONS] += count

    def without_value(self, count: int, noun: str = "row") -> None:
        """So many hold no value."""
        self._counts[noun, _NO_VALUE] += count

    def describe(self) -> str:
        """A sentence such as ``Left out: 48 rows by the profile's conditions, 1 row without a value.``

        Empty where nothing was left out.
        """
        told = [f"{pluralize(count, noun)} {why}" for (noun, why), count in self._counts.items() if count]
        return f"Left out: {', '.join(told)}." if told else ""
