"""The reader of statements refuses what Citus refuses, and nothing else."""

import pytest

from tests.distribution.rules import violations

ALLOWED = {
    "one site": "SELECT * FROM reading WHERE reading.site_key = %(k)s",
    "all of them": "SELECT job.rule, count(*) FROM job GROUP BY job.rule",
    "joined by the key": "SELECT 1 FROM job JOIN site ON site.key = job.site_key "
    "JOIN reading ON reading.site_key = site.key",
    "a local table beside it": "SELECT 1 FROM verdict JOIN site ON site.key = verdict.site_key",
    "locked by its key": "SELECT 1 FROM job JOIN site ON site.key = job.site_key "
    "WHERE job.id = %(i)s AND job.site_key = %(k)s FOR UPDATE OF job",
    "sought from the site on": "SELECT site.key FROM site WHERE (SELECT 1 FROM reading "
    "WHERE reading.site_key = site.key AND reading.reading_date > %(d)s LIMIT 1) IS NULL",
    "sought from a query about sites": "SELECT (SELECT reading.reading_date FROM reading "
    "WHERE reading.site_key = silent.key LIMIT 1) FROM (SELECT site.key AS key FROM site) AS silent",
    "a list that is fetched first": "DELETE FROM verdict "
    "WHERE verdict.site_key IN (SELECT site.key FROM site)",
    "a named query as the inner side": "WITH known AS (SELECT site.key, site.site_id FROM site) "
    "SELECT 1 FROM staged_site LEFT JOIN known ON known.site_id = staged_site.site_id",
    "a named local query in a correlated one": "WITH said AS (SELECT verdict.site_key FROM verdict) "
    "UPDATE job SET status = %(s)s WHERE NOT EXISTS (SELECT 1 FROM said WHERE said.site_key = job.site_key)",
    "local all over": "SELECT 1 FROM run LEFT JOIN hold ON hold.run_id = run.id WHERE EXISTS "
    "(SELECT 1 FROM run_rule WHERE run_rule.run_id = run.id) FOR UPDATE",
    "any at all": "SELECT EXISTS (SELECT reading.site_key FROM reading LIMIT 1)",
    "counted beside another": "SELECT (SELECT count(*) FROM site), (SELECT max(verdict.days) FROM verdict)",
    "any of one site": "SELECT EXISTS (SELECT reading.site_key FROM reading WHERE reading.site_key = %(k)s)",
    "any of what is local": "SELECT EXISTS (SELECT run.id FROM run)",
    "every column": "SELECT 1 FROM site WHERE EXISTS (SELECT * FROM job WHERE job.site_key = site.key)",
    "changed by its key and number": "UPDATE job SET priority = %(p)s "
    "WHERE job.id = %(i)s AND job.site_key = %(k)s",
    "changed, whatever is so": "UPDATE job SET status = %(s)s WHERE job.rule = %(r)s",
    "named analysed": "ANALYZE site, job",
    "named vacuumed": "VACUUM (SKIP_LOCKED, ANALYZE) reading_2026_03, reading_2026_04",
    "upserted by its key": "INSERT INTO reading (site_key, reading_date, reading_value) "
    "VALUES (%(a)s, %(b)s, %(c)s) ON CONFLICT (site_key, reading_date) "
    "DO UPDATE SET reading_value = excluded.reading_value",
}
REFUSED = {
    "joined by something else": "SELECT 1 FROM job JOIN site ON site.site_id = job.assignee",
    "not joined": "SELECT 1 FROM job, reading",
    "sought from a temporary table": "SELECT 1 FROM verdict WHERE NOT EXISTS "
    "(SELECT 1 FROM job WHERE job.site_key = verdict.site_key)",
    "correlated by another column": "SELECT 1 FROM site WHERE EXISTS "
    "(SELECT 1 FROM job WHERE job.assignee = site.site_id)",
    "a local table in a correlated query": "UPDATE job SET status = %(s)s WHERE EXISTS "
    "(SELECT 1 FROM verdict WHERE verdict.site_key = job.site_key)",
    "deleted from a local table by one": "DELETE FROM verdict WHERE EXISTS "
    "(SELECT 1 FROM reading WHERE reading.site_key = verdict.site_key)",
    "the inner side of a local one": "SELECT 1 FROM staged_site "
    "LEFT JOIN site ON site.site_id = staged_site.site_id",
    "changed by its number alone": "UPDATE job SET priority = %(p)s WHERE job.id = %(i)s",
    "many locked": "SELECT 1 FROM site WHERE site.site_id = %(i)s FOR UPDATE",
    "leapt through": "WITH RECURSIVE leap AS (SELECT min(job.queue) AS value FROM job UNION ALL "
    "SELECT (SELECT min(job.queue) FROM job WHERE job.queue > leap.value) FROM leap) SELECT value FROM leap",
    "moved": "UPDATE job SET site_key = %(k)s WHERE job.id = %(i)s",
    "without its key": "INSERT INTO site (site_id) VALUES (%(i)s)",
    "unique by something else": "INSERT INTO site (key, site_id) VALUES (%(k)s, %(i)s) "
    "ON CONFLICT (site_id) DO NOTHING",
    "a clock in an update": "UPDATE job SET closed_at = now() WHERE job.site_key = %(k)s",
    "any of all that are fetched": "SELECT EXISTS (SELECT reading.site_key FROM reading)",
    "any of those that are fetched": "SELECT EXISTS (SELECT site.key FROM site WHERE is_demo)",
    "any of a partition": "SELECT EXISTS (SELECT 1 FROM reading_older)",
    "in a condition": "SELECT 1 FROM run WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.status <> 'closed')",
    "a value of each group": "SELECT 1 FROM run "
    "WHERE run.id = (SELECT max(job.run_id) FROM job GROUP BY job.rule)",
    "no column": "SELECT EXISTS (SELECT FROM reading_older LIMIT 1)",
    "no column of what is joined": "SELECT 1 FROM site "
    "WHERE EXISTS (SELECT FROM job WHERE job.site_key = site.key)",
    "everything analysed": "ANALYZE",
    "everything analysed aloud": "analyze verbose;",
    "everything vacuumed": "VACUUM (ANALYZE)",
    "the outer side only": "SELECT 1 FROM job RIGHT JOIN run ON run.id = job.run_id",
}


@pytest.mark.parametrize("statement", ALLOWED.values(), ids=ALLOWED)
def test_allowed(statement: str) -> None:
    assert violations(statement) == []


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_refused(statement: str) -> None:
    assert len(violations(statement)) >= 1
