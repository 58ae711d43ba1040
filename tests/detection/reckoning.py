"""Section 13 of the contract once more, in plain Python and site by site: what incidents come to.

It knows neither tables nor SQL: sites with their readings, jobs, and for each incident who its sites are.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

THRESHOLD, WEEK = timedelta(days=3), timedelta(days=7)


@dataclass(eq=False)
class House:
    """A site."""

    site_id: str
    source: str
    readings: list[datetime]
    active: bool = True

    def spoke(self, after: datetime, until: datetime) -> bool:
        return any(after < at <= until for at in self.readings)

    def is_flagged(self, as_of: datetime) -> bool:
        return not self.spoke(as_of - THRESHOLD, as_of)


@dataclass(eq=False)
class Part:
    """What a site has to do with an incident."""

    covered: bool = True
    recovered: bool = False
    ended_at: datetime | None = None
    closed_by_hand: bool = False

    def end(self, now: datetime) -> None:
        if self.covered:
            self.covered, self.ended_at = False, now


@dataclass(eq=False)
class Work:
    """A job; with ``parts``, an incident, its own site among them."""

    house: House
    created_at: datetime
    source: str = ""
    parts: dict[House, Part] = field(default_factory=dict)
    is_open: bool = True
    closed_at: datetime | None = None
    by_hand: bool = False
    touched: bool = False
    recovered: bool = False
    only_own: bool = False
    """Nearly all others had recovered before its own site."""

    @property
    def covers(self) -> int | None:
        return len(self.parts) - 1 if self.parts else None

    @property
    def is_covering(self) -> bool:
        return bool(self.parts) and self.is_open and not self.recovered and not self.only_own


@dataclass
class Reckoning:
    """A fleet and all that became of it."""

    houses: list[House]
    least: int
    share: int
    wait: timedelta
    auto_close: bool
    work: list[Work] = field(default_factory=list)

    def covered(self, house: House) -> bool:
        return any(part.covered for part in self._parts(house))

    def has_open_job(self, house: House) -> bool:
        return any(job.is_open for job in self._own_jobs(house))

    def run(self, as_of: datetime, now: datetime, *, of_now: bool) -> tuple[int, int, int, int]:
        """A run of No Coms: how many are flagged, created, skipped and covered."""
        judged = [house for house in self.houses if house.active]
        flagged = [house for house in judged if house.is_flagged(as_of)]
        before = len(self.work)
        for source in sorted({house.source for house in judged} - {""}):
            self._incident(source, [house for house in judged if house.source == source], as_of, now)
        covered = sum(self.covered(house) for house in flagged) - (len(self.work) - before)
        for house in flagged:
            if not self.covered(house) and not self.has_open_job(house) and not self._waits(house, now):
                self.work.append(Work(house, now))
        created = len(self.work) - before
        if of_now:
            self._recover(judged, as_of, now)
        return len(flagged), created, len(flagged) - created - covered, covered

    def _incident(self, source: str, judged: list[House], as_of: datetime, now: datetime) -> None:
        reported = [house for house in judged if self._had_reported(house, as_of)]
        new = [house for house in reported if house.is_flagged(as_of) and self._would_get_one(house, now)]
        standing = next((job for job in self.work if job.source == source and job.is_covering), None)
        if standing is None:
            if len(new) < self.least or len(new) * 100 <= self.share * len(reported):
                return
            standing = Work(min(new, key=lambda house: house.site_id), now, source)
            self.work.append(standing)
        standing.parts.update({house: Part() for house in new})

    def _had_reported(self, house: House, as_of: datetime) -> bool:
        return house.spoke(as_of - WEEK, as_of) or any(
            part.ended_at
            and not part.recovered
            and not any(job.created_at > part.ended_at for job in self._own_jobs(house))
            for part in self._parts(house)
        )

    def _would_get_one(self, house: House, now: datetime) -> bool:
        return not (self.covered(house) or self.has_open_job(house) or self._waits(house, now))

    def _waits(self, house: House, now: datetime) -> bool:
        """A person has closed its job while it was silent, or the incident that was its job."""
        closed = [job.closed_at for job in self._own_jobs(house) if job.by_hand and not job.recovered]
        closed += [part.ended_at for part in self._parts(house) if part.closed_by_hand and not part.recovered]
        return any(at is not None and at > now - self.wait for at in closed)

    def _recover(self, judged: list[House], as_of: datetime, now: datetime) -> None:
        for job in self.work:
            if job.parts:
                self._recover_incident(job, judged, as_of, now)
            elif job.house in judged:
                if not job.house.is_flagged(as_of):
                    job.recovered = True
                elif job.is_open:
                    job.recovered = False
            if self.auto_close and job.recovered and job.is_open and not job.touched:
                job.is_open, job.closed_at = False, now

    def _recover_incident(self, job: Work, judged: list[House], as_of: datetime, now: datetime) -> None:
        for house, part in job.parts.items():
            if house in judged and not house.is_flagged(as_of):
                part.recovered = True
                part.end(now)
        if job.recovered:
            return
        counted = [part for house, part in job.parts.items() if house in judged]
        most = bool(counted) and sum(part.recovered for part in counted) * 10 >= len(counted) * 9
        own = job.parts[job.house]
        if most or job.only_own:
            job.recovered, job.only_own = own.recovered, not own.recovered
            for part in job.parts.values():
                if part is not own:
                    part.end(now)

    def close(self, job: Work, now: datetime) -> None:
        """A person closes a job."""
        job.is_open, job.closed_at, job.by_hand, job.touched = False, now, True, True
        for part in job.parts.values():
            if part.covered:
                part.end(now)
                part.closed_by_hand = True

    def reopen(self, job: Work) -> bool:
        """A person reopens a job; whether that is possible."""
        beside = [
            other
            for other in self.work
            if other.is_open
            and bool(other.parts) == bool(job.parts)
            and (other.source == job.source if job.parts else other.house is job.house)
        ]
        if beside or self.covered(job.house):
            return False
        job.is_open, job.closed_at, job.by_hand, job.touched = True, None, False, True
        for house, part in job.parts.items():
            taken = self.covered(house) or self.has_open_job(house)
            covers = not job.recovered and (not job.only_own or house is job.house)
            if covers and part.closed_by_hand and not part.recovered and not taken:
                part.covered, part.ended_at, part.closed_by_hand = True, None, False
        return True

    def _own_jobs(self, house: House) -> list[Work]:
        return [job for job in self.work if job.house is house and not job.parts]

    def _parts(self, house: House) -> list[Part]:
        return [job.parts[house] for job in self.work if house in job.parts]
