"""What the readers of standard kinds share: the profile, and what it says of sites, times and numbers."""

from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from .. import fields
from ..left_out import LeftOut
from ..rows import Rejected
from .document import Condition, Profile
from .found import Found
from .layouts import Sites
from .times import Ends, Times
from .values import Values


class Context:
    """What a reader needs beside its file. ``constant`` is the site of all readings, where one was given."""

    def __init__(self, profile: Profile, constant: str | None, zone: ZoneInfo, now: datetime) -> None:
        self.profile = profile
        self.constant = constant
        self.left_out = LeftOut()
        self.times = Times(profile, zone, now)
        self.values = Values(profile)
        self._sites = Sites(profile)
        self._ends = Ends(zone)

    def site(self, named: str) -> str:
        """The site that a file names."""
        return self.constant or self._sites[named]

    def is_known(self, named: str) -> bool:
        """Whether an alias says which site this is."""
        return named in self.profile.site.aliases

    def keeps(self, row: Mapping[str, str], readings: int = 1) -> bool:
        """Whether so many readings count, by what their kind knows of them."""
        is_kept = all(_holds(condition, row) for condition in self.profile.keep)
        self.left_out.by_conditions(0 if is_kept else readings, "reading")
        return is_kept

    def is_estimated(self, row: Mapping[str, str]) -> bool:
        """Whether the profile says that a reading is estimated."""
        return self.profile.estimated is not None and _holds(self.profile.estimated, row)

    def reading(
        self, line: int, site: str, date: str, value: str, unit: str, part: Hashable, *, is_estimated: bool
    ) -> Iterator[Found | Rejected]:
        """A reading; a value that is none is rejected, and what it is a part of has no sum.

        ``unit`` is the one that the file gives, or empty: then the profile's.
        """
        kwh = None
        try:
            kwh = self.values.with_unit(value, unit) if unit else self.values.one(value)
            self.left_out.without_value(kwh is None, "reading")
        except fields.FieldError as error:
            yield Rejected(line, str(error))
        yield Found(line, site, date, kwh, is_estimated, part)

    def ends_of(self, day: date, minutes: int) -> list[str]:
        """The ends of the intervals of a local day, as text in UTC."""
        return self._ends[day, minutes]


def _holds(condition: Condition, row: Mapping[str, str]) -> bool:
    return condition.holds(row.get(str(condition.column), "").strip())
