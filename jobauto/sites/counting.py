"""Which readings count for what a site has made."""

from sqlalchemy import literal_column

from ..models import Reading
from ..models.quality import Quality

COUNTS = Reading.quality <= literal_column(str(int(Quality.GOOD)))
"""The good ones. It is the lowest quality: an equation would have PostgreSQL believe that few are good, and
sort instead of seek."""
