"""Alert policies. Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies.

The Terraform provider that Config Connector 1.155 embeds lets pass most of what that page forbids.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import FILTER, balanced
from dify_gitops.kinds.constraints.model import (
    AtLeastOne,
    AtMostOne,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Needs,
    OneOf,
    Range,
    on,
)
from dify_gitops.kinds.constraints.series import aggregation, seconds

_HOUR, _DAY = 3600, 24 * 3600
_LONGEST_FILTER, _LONGEST_TEXT = 2048, 8192

_EACH = "spec.conditions[]"
_THRESHOLD, _ABSENT, _PROMETHEUS = (
    f"{_EACH}.condition{kind}" for kind in ("Threshold", "Absent", "PrometheusQueryLanguage")
)
_KINDS = (
    "conditionAbsent",
    "conditionMatchedLog",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionSql",
    "conditionThreshold",
)
_FILTER = r"(?s)(?=.*\bmetric\.type\b)(?=.*\bresource\.type\b).*", "a filter on metric.type and resource.type"


def _short(value: str) -> str | None:
    if len(value) > _LONGEST_FILTER:
        return f"has {len(value)} characters, not up to {_LONGEST_FILTER}"
    return balanced(value)


def _readable(value: str) -> str | None:
    return f"has {len(value)} characters, not up to {_LONGEST_TEXT}" if len(value) > _LONGEST_TEXT else None


def _alone(kind: str) -> Excludes:
    """A kind of condition that has no other kind beside it."""
    return Excludes("spec", f"conditions[].{kind}", tuple(f"conditions[].{other}" for other in _KINDS if other != kind))


KINDS = (
    Kind(
        "monitoring",
        "MonitoringAlertPolicy",
        constraints=(
            *on("spec.enabled", why="nobody would be called"),
            OneOf("spec.combiner", ("AND", "OR", "AND_WITH_MATCHING_RESOURCE")),
            OneOf("spec.severity", ("CRITICAL", "ERROR", "WARNING")),
            OneOf("spec.documentation.mimeType", ("text/markdown",)),
            # The provider takes six, Google these two.
            OneOf(f"{_THRESHOLD}.comparison", ("COMPARISON_GT", "COMPARISON_LT")),
            OneOf(
                f"{_THRESHOLD}.evaluationMissingData",
                tuple(f"EVALUATION_MISSING_DATA_{word}" for word in ("INACTIVE", "ACTIVE", "NO_OP")),
            ),
            *aggregation(f"{_THRESHOLD}.aggregations[]"),
            Range(f"{_THRESHOLD}.trigger.percent", 0, 100),
            Length("spec.conditions", 1, 6),
            Length("spec.notificationChannels", 1, 16),
            seconds(f"{_THRESHOLD}.duration", step=60),
            seconds(f"{_ABSENT}.duration", 120, step=60),
            seconds(f"{_PROMETHEUS}.duration"),
            seconds(f"{_PROMETHEUS}.evaluationInterval", 30, step=30),
            seconds("spec.alertStrategy.autoClose", _HOUR // 2, 7 * _DAY),
            seconds("spec.alertStrategy.notificationRateLimit.period", 1),
            seconds("spec.alertStrategy.notificationChannelStrategy[].renotifyInterval", _HOUR // 2, _DAY),
            Format(f"{_THRESHOLD}.filter", *_FILTER, check=_short),
            Format(f"{_ABSENT}.filter", *_FILTER, check=_short),
            Format(f"{_EACH}.conditionMatchedLog.filter", *FILTER, check=balanced),
            Format(f"{_PROMETHEUS}.query", *FILTER, check=balanced),
            Format(f"{_PROMETHEUS}.alertRule", r"[A-Za-z_][A-Za-z0-9_]*", "a name that Prometheus takes for a label"),
            Format("spec.documentation.content", r"(?s).*\S.*", "a text", check=_readable),
            ExactlyOne(_EACH, _KINDS),
            AtMostOne(f"{_THRESHOLD}.trigger", ("count", "percent")),
            _alone("conditionMatchedLog"),
            _alone("conditionMonitoringQueryLanguage"),
            Needs("spec", "conditions[].conditionMatchedLog", ("alertStrategy.notificationRateLimit.period",)),
            Needs("spec", "alertStrategy.notificationRateLimit", ("conditions[].conditionMatchedLog",)),
            Needs(_THRESHOLD, "denominatorFilter", ("denominatorAggregations",)),
            Mandatory(_THRESHOLD, ("filter", "aggregations"), "Google does not know what to compare"),
            Mandatory(_THRESHOLD, ("thresholdValue",), "it would be compared with 0"),
            Mandatory("spec", ("severity",), "a mail without one looks as bad as any other"),
            Mandatory("spec", ("alertStrategy.autoClose",), "an incident would stay open for seven days"),
            Mandatory("spec", ("documentation.content",), "who is woken up must read what to do"),
            AtLeastOne("spec", ("notificationChannels",), "nobody would be called"),
        ),
    ),
)
