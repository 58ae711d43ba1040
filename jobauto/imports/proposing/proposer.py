"""From a sample to a proposal, step by step. Pure: what the fleet knows of sites is asked through a function.

1. What kind of file it is; of text its encoding, what stands between fields, where the table begins.
2. Whether a common feed is written so: then its profile is proposed, but for what only its owner knows.
3. Which columns are time, site and value, by what stands in them, then by their names.
4. How dates and numbers are written: every way that reads them all. Where two are left that mean different
   things, that is a question.
5. Register or interval, by whether the values fall; then by names; else a question.
6. What intervals, estimated rows and several rows of one time mean.

Each step takes an answer before its own opinion, so that what follows rests on the answers.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from . import apart, files, measures, sites, times, values
from .columns import columns_of
from .draft import Draft, IsSite
from .proposal import Answers, Proposal
from .sample import Sample

TABLES = ("delimited", "excel", "json")


def propose(sample: Sample, answers: Answers, *, is_site: IsSite, zone: ZoneInfo, now: datetime) -> Proposal:
    """What a file seems to be. Raises FileError where nothing can be said of it.

    ``answers`` are what a person has said, by the names of the fields. ``zone`` is that of the schedule.
    """
    draft = Draft(sample, answers, is_site, zone, now)
    kind = draft.settle("kind", sample.kind, sample.why)
    if kind not in TABLES:
        files.standard(draft, str(kind))
        return draft.found
    draft.table = draft.found.table = files.table_in(draft, str(kind))
    draft.columns = columns_of(draft.table, now.date())
    files.by_feed(draft)
    measures.rows_or_wide(draft)
    times.time(draft)
    sites.site(draft)
    if draft.text("layout"):  # what rests on an answer is not asked before it
        values.value(draft)
    if draft.values:
        measures.measure(draft)
    if draft.text("measure"):
        measures.interval(draft)
    apart.conditions(draft)
    apart.several_rows(draft)
    apart.estimates(draft)
    return draft.found
