"""Dashboards. Source: https://cloud.google.com/monitoring/api/ref_dashboards/rest/v1/projects.dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.kinds.constraints.formats import FILTER, balanced
from dify_gitops.kinds.constraints.model import ExactlyOne, Format, Kind, OneOf, Range, Refused, Sense
from dify_gitops.kinds.constraints.paths import values
from dify_gitops.kinds.constraints.series import aggregation

if TYPE_CHECKING:
    from collections.abc import Iterator

_TILE = "spec.mosaicLayout.tiles[]"
_CHART = f"{_TILE}.widget.xyChart"
_QUERY = f"{_CHART}.dataSets[].timeSeriesQuery"
_COLUMNS = 48
_WIDGETS = tuple(
    "alertChart blank collapsibleGroup errorReportingPanel incidentList logsPanel pieChart scorecard sectionHeader "
    "singleViewGroup text timeSeriesTable xyChart".split()
)


def _number(data: Any, key: str, default: int = 0) -> int:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, int) else default


def _inside(layout: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Tiles end within the columns, and none covers another one."""
    columns = _number(layout, "columns", _COLUMNS)
    seen: list[tuple[int, int, int, int]] = []
    for field, tile in values(layout, "tiles[]"):
        left, top = _number(tile, "xPos"), _number(tile, "yPos")
        right, bottom = left + _number(tile, "width"), top + _number(tile, "height")
        if right > columns:
            yield f"{field}.width", f"ends at column {right}, beyond {columns}"
        for number, (x, y, end, below) in enumerate(seen):
            if left < end and x < right and top < below and y < bottom:
                yield field, f"covers tiles[{number}]"
        seen.append((left, top, right, bottom))


KINDS = (
    Kind(
        "monitoring",
        "MonitoringDashboard",
        immutable=("spec.projectRef",),
        constraints=(
            ExactlyOne("spec", ("columnLayout", "gridLayout", "mosaicLayout", "rowLayout")),
            ExactlyOne(f"{_TILE}.widget", _WIDGETS),
            ExactlyOne(
                _QUERY, ("prometheusQuery", "timeSeriesFilter", "timeSeriesFilterRatio", "timeSeriesQueryLanguage")
            ),
            Format(f"{_QUERY}.prometheusQuery", *FILTER, check=balanced),
            Format(f"{_QUERY}.timeSeriesFilter.filter", *FILTER, check=balanced),
            Range("spec.mosaicLayout.columns", 1, _COLUMNS),
            Range(f"{_TILE}.width", 1, _COLUMNS),
            Range(f"{_TILE}.xPos", 0, _COLUMNS - 1),
            Sense("spec.mosaicLayout", _inside),
            OneOf(f"{_CHART}.dataSets[].plotType", ("LINE", "STACKED_AREA", "STACKED_BAR", "HEATMAP")),
            OneOf(f"{_CHART}.dataSets[].targetAxis", ("Y1", "Y2")),
            OneOf(f"{_CHART}.yAxis.scale", ("LINEAR", "LOG10")),
            OneOf(f"{_CHART}.chartOptions.mode", ("COLOR", "X_RAY", "STATS")),
            OneOf(f"{_TILE}.widget.text.format", ("MARKDOWN", "RAW")),
            *aggregation(f"{_QUERY}.timeSeriesFilter.aggregation"),
            Refused(f"{_CHART}.thresholds[].color", "belongs to a scorecard: Google refuses it in an xyChart"),
            Refused(f"{_CHART}.thresholds[].direction", "belongs to a scorecard: Google refuses it in an xyChart"),
        ),
    ),
)
