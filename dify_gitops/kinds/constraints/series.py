"""What alert policies and dashboards have in common: durations, and how series are put together.

Sources: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies, and the Terraform provider that
Config Connector 1.155 embeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.kinds.constraints.formats import DURATION
from dify_gitops.kinds.constraints.model import Constraint, Format, Needs, OneOf

if TYPE_CHECKING:
    from collections.abc import Callable

_SHARES = ("99", "95", "50", "05")
_ALIGNERS = (
    *(f"ALIGN_{word}" for word in "NONE DELTA RATE INTERPOLATE NEXT_OLDER MIN MAX MEAN COUNT SUM STDDEV".split()),
    *(f"ALIGN_{word}" for word in "COUNT_TRUE COUNT_FALSE FRACTION_TRUE PERCENT_CHANGE".split()),
    *(f"ALIGN_PERCENTILE_{share}" for share in _SHARES),
)
_REDUCERS = (
    *(f"REDUCE_{word}" for word in "NONE MEAN MIN MAX SUM STDDEV COUNT".split()),
    *(f"REDUCE_{word}" for word in "COUNT_TRUE COUNT_FALSE FRACTION_TRUE".split()),
    *(f"REDUCE_PERCENTILE_{share}" for share in _SHARES),
)


def seconds(path: str, low: int = 0, high: int = 0, step: int = 1) -> Format:
    """A duration between ``low`` and ``high`` seconds (0: no end), in steps of ``step``."""
    return Format(path, *DURATION, check=_between(low, high, step))


def _between(low: int, high: int, step: int) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        length = float(value.removesuffix("s"))
        if length < low:
            return f"is less than {low}s"
        if high and length > high:
            return f"is more than {high}s"
        return f"is no multiple of {step}s" if length % step else None

    return check


def aggregation(path: str) -> tuple[Constraint, ...]:
    """How series are aligned and put together, at ``path``."""
    return (
        OneOf(f"{path}.perSeriesAligner", _ALIGNERS),
        OneOf(f"{path}.crossSeriesReducer", _REDUCERS),
        seconds(f"{path}.alignmentPeriod", 60),
        Needs(path, "crossSeriesReducer", ("perSeriesAligner",)),
        Needs(path, "perSeriesAligner", ("alignmentPeriod",)),
        Needs(path, "groupByFields", ("crossSeriesReducer",)),
    )
