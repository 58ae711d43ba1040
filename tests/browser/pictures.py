"""The pictures of README and docs: ``pytest tests/browser/pictures.py --processes`` takes them anew.

They show the demo fleet, to which come another source that is down, and more readings in doubt.
"""

import shutil
import subprocess
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, select, update

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.demo import service as demo
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.imports import samples
from jobauto.jobs.service import JobChange, change
from jobauto.lab import service as lab
from jobauto.models import Job, Reading, Site
from jobauto.storage.connections import write
from tests.browser.conftest import Visit
from tests.fleets import add_readings
from tests.readings.doubts import classify_again

pytestmark = pytest.mark.process

DOCS = Path(__file__).parents[2] / "docs"
DOWN = "Leeds"
DOUBTED = {"DEMO-0007": "0.4", "DEMO-0002": "1.05", "DEMO-0003": "1.7", "DEMO-0009": "0"}
"""The last register of a site, as a share of the one before; 0 comes back."""


def test_pictures(visit: Visit) -> None:
    now = utcnow()
    demo.fill(now)
    _doubt(now)
    run(RunParameters(trigger="schedule", requested_by=None), utcnow)
    _take_down(now)
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)
    _work()
    address = {
        "dashboard": ("/", 860),
        "jobs": ("/jobs/?sort=longest&status=unclosed", 900),
        "job": (f"/jobs/{_open('zero_reads')[0]}", 1420),
        "incident": (f"/jobs/{_open('no_coms')[-1]}", 860),
        "site": ("/sites/DEMO-0007", 1500),
        "reviews": ("/reviews/?state=all", 860),
        "report": ("/report/", 1100),
        "settings": ("/settings/", 860),
        "proposal": (f"/profiles/new/{_file()}", 1100),
    }
    for name, (path, height) in address.items():
        page = visit(viewport={"width": 1280, "height": height}).open(path)
        if name == "jobs":
            for place in (1, 3, 4):
                page.get_by_label("Choose job").nth(place).check()
        expect(page.locator("canvas")).to_have_count(page.locator("canvas:visible").count())
        picture = DOCS / f"{name}.png"
        page.screenshot(path=picture)
        _shrink(picture)


def _doubt(now: datetime) -> None:
    for site_id, share in DOUBTED.items():
        key = _key(site_id)
        newest = select(Reading.reading_value).where(Reading.site_key == key)
        last = db.session.scalar(newest.order_by(Reading.reading_date.desc()).limit(1)) or Decimal(0)
        values = {now - timedelta(hours=3): last * Decimal(share)}
        if share == "0":
            values |= {now - timedelta(hours=2): last + 1, now - timedelta(hours=1): last + 2}
        add_readings(key, {at: round(value, 2) for at, value in values.items()})
        classify_again(key)


def _take_down(now: datetime) -> None:
    """All sites of a town are behind one source, and nothing has come from it for four days."""
    with write() as session:
        keys = list(session.scalars(select(Site.key).where(Site.group == DOWN)))
        session.execute(update(Site).where(Site.key.in_(keys)).values(source="Sunlink portal"))
        late = Reading.reading_date > now - timedelta(days=4)
        session.execute(delete(Reading).where(Reading.site_key.in_(keys), late))


def _work() -> None:
    for place, job_id in enumerate(db.session.scalars(select(Job.id).where(Job.status == "open"))):
        if place % 3:
            wanted = JobChange(assignee=("ada", "oscar")[place % 2])
            change(job_id, wanted, by="ada", now=utcnow())
    for rule in ("no_coms", "zero_reads"):
        claimed = lab.claim(lab.Question(rule, lab.NOW), utcnow())
        assert claimed
        lab.work_out(claimed, utcnow)


def _file() -> int:
    """The number of a file that waits for a profile."""
    rows = [
        f"DEMO-{number:04},0{day}/11/2026,{number}.{day}00" for number in (1, 2, 3) for day in range(1, 8)
    ]
    content = "\n".join(["Meter,Day,Value", *rows, ""]).encode()
    return samples.accept("sunlink-november.csv", BytesIO(content), Author("ada", utcnow()), lambda _: None)


def _key(site_id: str) -> int:
    return db.session.scalars(select(Site.key).where(Site.site_id == site_id)).one()


def _open(rule: str) -> list[int]:
    """Open jobs, the oldest first; the last one of No Coms is the incident."""
    jobs = select(Job.id).where(Job.rule == rule, Job.status == "open", Job.recovered_at.is_(None))
    return list(db.session.scalars(jobs.order_by(Job.id)))


def _shrink(picture: Path) -> None:
    """A few colours are enough for a page: without pngquant the pictures are three times as large."""
    if pngquant := shutil.which("pngquant"):
        subprocess.run([pngquant, "64", "--force", "--strip", "--output", picture, picture], check=True)
