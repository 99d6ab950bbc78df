"""Times of the environment's zone in UTC, which is what Google Cloud's fields want."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dify_gitops.catalogue.google import DAYS

# The offsets of one year, whenever this runs: the same input gives the same files. UTC does not follow summer time.
_WINTER, _SUMMER = dt.date(2026, 1, 15), dt.date(2026, 7, 15)


class Moment(NamedTuple):
    """A time of day in UTC: ``days`` is -1, 0 or 1 where UTC's day is another one than the zone's."""

    hour: int
    minute: int
    days: int
    said: str

    @property
    def clock(self) -> str:
        """``18:00``."""
        return f"{self.hour:02}:{self.minute:02}"

    @property
    def whole(self) -> Moment:
        """The same, to the hour, where Google takes no minutes."""
        return self._replace(minute=0, said=f"{self.said}, to the hour") if self.minute else self

    def day(self, local: str) -> str:
        """UTC's day of the week, such as SATURDAY, for a day of the zone's."""
        return DAYS[(DAYS.index(local) + self.days) % len(DAYS)]


def utc(time: str, zone: str) -> Moment:
    """``03:00`` in ``Asia/Tokyo`` → 18:00 of the day before; ``said`` is the comment that goes beside it."""
    clock = dt.time.fromisoformat(time)
    there, also = (dt.datetime.combine(day, clock, ZoneInfo(zone)) for day in (_WINTER, _SUMMER))
    here = there.astimezone(dt.UTC)
    said = f"UTC: {time} in {zone}"
    summer = here + (_SUMMER - _WINTER)
    if summer != also.astimezone(dt.UTC):
        said += f" in January, {summer.astimezone(ZoneInfo(zone)):%H:%M} in July"
    return Moment(here.hour, here.minute, (here.date() - there.date()).days, said)
