"""The detectors. A new rule is a new file and a word in ``RULES``."""

from operator import attrgetter

from . import no_coms, zero_reads
from .rule import Rule

NO_COMS = Rule(
    name="no_coms",
    title="No Coms",
    verdicts=no_coms.verdicts,
    variables=no_coms.variables,
    window=attrgetter("days_threshold"),
    explained=no_coms.explained,
    describe_finding=no_coms.describe_finding,
    unflagged=no_coms.unflagged,
    guarded=True,
)
ZERO_READS = Rule(
    name="zero_reads",
    title="Zero Reads",
    verdicts=zero_reads.verdicts,
    variables=zero_reads.variables,
    window=attrgetter("days_to_check"),
    explained=zero_reads.explained,
    describe_finding=zero_reads.describe_finding,
    unflagged=zero_reads.unflagged,
)
RULES = (NO_COMS, ZERO_READS)

__all__ = ["NO_COMS", "RULES", "ZERO_READS", "Rule"]
