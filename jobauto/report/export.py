"""A report as CSV: a number a line."""

from collections.abc import Iterator

from ..spreadsheets import BYTE_ORDER_MARK, harmless, line
from .queries import AGES, PARTS, age_name
from .report import Report, days_of
from .site_days import PARTS as PARTS_OF_DAYS
from .site_days import STATES

HEADER = ("part", "name", "number", "value")
_COUNTED = ("opened", "closed", "open", "recovered", "by_itself", *(age_name(least) for least, _ in AGES))


def report_csv(report: Report) -> Iterator[str]:
    """The lines of the file."""
    yield BYTE_ORDER_MARK + line(HEADER)
    for row in _rows(report):
        yield line(harmless(cell) for cell in row)


Row = tuple[object, ...]


def _rows(report: Report) -> Iterator[Row]:
    yield from _about(report)
    yield from _of_all(report)
    for part in PARTS:
        for name, counts in report.parts_of_jobs(part):
            yield from ((part, name, number, counts[number]) for number in _COUNTED)
    for part in PARTS_OF_DAYS:
        for name, states in report.parts_of_days(part):
            yield from ((part, name, f"site_days_{state}", states[state]) for state in STATES)
    yield from _of_days(report)


def _about(report: Report) -> Iterator[Row]:
    yield "time", "", "from", report.span.first
    yield "time", "", "to", report.span.last
    yield from (("only", name, "", text) for name, text in vars(report.scope).items() if text is not None)


def _of_all(report: Report) -> Iterator[Row]:
    yield from (("all", "", number, report.jobs.counts[number]) for number in _COUNTED)
    for name, took in (("close", report.to_close), ("recover", report.to_recover)):
        for number, place in ((f"median_days_to_{name}", 0), (f"days_to_{name}_of_90_percent", 1)):
            yield "all", "", number, None if took is None else days_of(took[place])
    yield "all", "", "sites_with_three_jobs_in_90_days", report.often
    yield "all", "", "data_coverage_percent", report.coverage
    states = report.site_days.states
    yield from (("all", "", f"site_days_{state}", states[state]) for state in STATES)


def _of_days(report: Report) -> Iterator[Row]:
    for bar in report.bars:
        part = "day" if bar.first == bar.last else "days from"
        yield part, bar.first, "opened", bar.opened
        yield part, bar.first, "closed", bar.closed
    for day in report.site_days.days:
        yield from (("day", day.day, f"sites_{state}", day.states[state]) for state in STATES)
