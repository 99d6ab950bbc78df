"""When GKE may upgrade a cluster: https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from dify_gitops.kinds.constraints.formats import CLOCK
from dify_gitops.kinds.constraints.model import ExactlyOne, Format, OneOf, Sense, Unique

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIME = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})",
    "a time such as 2026-01-05T16:00:00Z",
)
_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_DAYS = rf"FREQ=DAILY|FREQ=WEEKLY;BYDAY={_DAY}(,{_DAY})*"
_MONTHLY = rf"FREQ=MONTHLY;(BYMONTHDAY=-?[0-9]{{1,2}}(,-?[0-9]{{1,2}})*|BYDAY=-?[1-5]{_DAY}(,-?[1-5]{_DAY})*)"
_RECURRENCE = rf"{_DAYS}|{_MONTHLY}", "FREQ=DAILY, or such as FREQ=WEEKLY;BYDAY=SA,SU or FREQ=MONTHLY;BYDAY=1SA,3SA"
_LEAST_WINDOW, _LEAST_MONTH = 4, 48  # hours: of each window, and in any 32 days


def _hours(item: dict[str, Any]) -> float | None:
    """How long it is from ``startTime`` to ``endTime``; None where they are no times."""
    try:
        start, end = (dt.datetime.fromisoformat(item[key]) for key in ("startTime", "endTime"))
        return (end - start).total_seconds() / 3600
    except (KeyError, TypeError, ValueError):
        return None


def _window(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Windows long and frequent enough for upgrades."""
    hours, recurrence = _hours(item), item.get("recurrence")
    if hours is None or not re.fullmatch(_RECURRENCE[0], str(recurrence)):
        return  # told by its format
    # In any 32 days there are four of each day of the week, sometimes five, and each day of a month at least once.
    each = 1 if str(recurrence).startswith("FREQ=MONTHLY") else 4
    times = 32 if recurrence == "FREQ=DAILY" else each * len(str(recurrence).split(","))
    if hours < _LEAST_WINDOW:
        yield "endTime", f"{hours:g} hours after startTime; GKE wants {_LEAST_WINDOW} at least"
    elif times * hours < _LEAST_MONTH:
        yield "recurrence", f"{times * hours:g} hours in 32 days; GKE wants {_LEAST_MONTH} at least"


def _exclusion(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    hours = _hours(item)
    if hours is not None and hours <= 0:
        yield "endTime", "is not after startTime"


_POLICY = "spec.maintenancePolicy"
_EXCLUSION = f"{_POLICY}.maintenanceExclusion[]"

MAINTENANCE = (
    ExactlyOne(_POLICY, ("dailyMaintenanceWindow", "recurringWindow")),
    Format(f"{_POLICY}.dailyMaintenanceWindow.startTime", *CLOCK),
    Format(f"{_POLICY}.recurringWindow.startTime", *_TIME),
    Format(f"{_POLICY}.recurringWindow.endTime", *_TIME),
    Format(f"{_POLICY}.recurringWindow.recurrence", *_RECURRENCE),
    Sense(f"{_POLICY}.recurringWindow", _window),
    OneOf(f"{_EXCLUSION}.exclusionOptions.scope", ("NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES")),
    Format(f"{_EXCLUSION}.startTime", *_TIME),
    Format(f"{_EXCLUSION}.endTime", *_TIME),
    Unique(f"{_EXCLUSION}.exclusionName"),
    Sense(_EXCLUSION, _exclusion),
)
