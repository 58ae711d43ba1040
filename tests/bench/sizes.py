"""How much of everything is measured."""

from dataclasses import dataclass

DEFAULT = 50_000
"""Sites; CI measures with 20,000, and the claim that a million fits on one machine with that."""
AT_MOST = 10_000


@dataclass(frozen=True)
class Sizes:
    """Everything follows from the number of sites of the largest fleet, as far as it is worth while.

    But for ``jobs``, those behind the pages, which can be asked for by themselves.
    """

    sites: int
    jobs: int

    @property
    def looped(self) -> int:
        """Sites that the obvious loop has to get through."""
        return min(AT_MOST, self.sites // 10)

    @property
    def dense(self) -> int:
        """Sites with half-hourly readings, or with years of them."""
        return min(AT_MOST, self.sites // 40)

    @property
    def walked(self) -> int:
        """Sites of which the lab walks a year."""
        return min(100_000, self.sites // 10)

    @property
    def repeated(self) -> int:
        """Sites of which 5 % are faulty, checked twice."""
        return self.sites // 10

    @property
    def rows(self) -> int:
        """Readings in the file that is imported."""
        return self.sites
