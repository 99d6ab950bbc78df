"""Cloud Storage. Source: the Terraform provider that Config Connector 1.155 embeds, services/storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.model import (
    Excludes,
    Format,
    Kind,
    Length,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    Sense,
    named,
    off,
    on,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLD = ("NEARLINE", "COLDLINE", "ARCHIVE")
_METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-01-31"
_DAY = 24 * 3600
_LEAST, _MOST = 7 * _DAY, 90 * _DAY  # of soft delete
_LOCATION = written(f.BucketLocation)
_RULE = "spec.lifecycleRule[]"
# Each holds only for versions that were replaced or deleted: https://cloud.google.com/storage/docs/lifecycle#conditions
_NONCURRENT = ("daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions")


def _conditional(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A rule has a condition."""
    if rule.get("condition") == {}:
        yield "condition", "is empty"


def _soft_delete(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """https://cloud.google.com/storage/docs/soft-delete: 7 to 90 days, or 0 for none."""
    seconds = policy.get("retentionDurationSeconds")
    if isinstance(seconds, int) and seconds != 0 and not _LEAST <= seconds <= _MOST:
        yield "retentionDurationSeconds", f"{seconds} is neither 0 nor between {_LEAST} and {_MOST}"


def _lasting(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A rule that deletes cannot mean a current file."""
    action, condition = rule.get("action"), rule.get("condition")
    if isinstance(action, dict) and isinstance(condition, dict) and condition and action.get("type") == "Delete":
        state = condition.get("withState")
        if state != "ARCHIVED" and not any(condition.get(key) for key in _NONCURRENT):
            yield "condition", "holds for current files too; withState: ARCHIVED would spare them"


KINDS = (
    Kind(
        "storage",
        "StorageBucket",
        immutable=("spec.customPlacementConfig",),
        constraints=(
            Name(*named(f.BucketName)),
            *on("spec.uniformBucketLevelAccess", why="single files could become public"),
            *off("spec.requesterPays"),
            OneOf("spec.publicAccessPrevention", ("enforced",), "the bucket or single files could become public"),
            OneOf("spec.storageClass", ("STANDARD", *_COLD)),
            OneOf("spec.autoclass.terminalStorageClass", ("NEARLINE", "ARCHIVE")),
            OneOf("spec.ipFilter.mode", ("Enabled", "Disabled")),
            OneOf("spec.cors[].method[]", _METHODS),
            OneOf(f"{_RULE}.action.type", ("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload")),
            OneOf(f"{_RULE}.action.storageClass", _COLD),
            OneOf(f"{_RULE}.condition.withState", ("LIVE", "ARCHIVED", "ANY")),
            OneOf(
                f"{_RULE}.condition.matchesStorageClass[]",
                ("STANDARD", *_COLD, "MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY"),
            ),
            Range("spec.retentionPolicy.retentionPeriod", 1, 2**31 - 1),
            Range(f"{_RULE}.condition.age", 0, 2**31 - 1),
            Length("spec.customPlacementConfig.dataLocations", 2, 2),
            Format("spec.location", f"(?i:{_LOCATION[0]})", *_LOCATION[1:]),  # asia is ASIA
            Format("spec.cors[].origin[]", r"\*|https?://[^/\s]+", "an origin such as https://dify.acme.example"),
            Format(f"{_RULE}.condition.createdBefore", *_DATE),
            Format(f"{_RULE}.condition.noncurrentTimeBefore", *_DATE),
            Needs(_RULE, "action.type", ("action.storageClass",), "SetStorageClass"),
            Excludes(_RULE, "action.type", ("action.storageClass",), "Delete"),
            Refused("spec.cors[].origin[]", "lets every website send requests", "*"),
            Refused("spec.retentionPolicy.isLocked", "can never be undone", value=True),
            Refused("spec.bucketPolicyOnly", "is the old name of uniformBucketLevelAccess"),
            Mandatory("spec", ("location",), "the default is US, and it cannot be changed"),
            Mandatory(
                "spec", ("uniformBucketLevelAccess", "publicAccessPrevention"), "single files could become public"
            ),
            Sense(_RULE, _conditional),
            Sense("spec.softDeletePolicy", _soft_delete),
        ),
        own=(
            *on("spec.versioning.enabled", why="what is overwritten or deleted would be gone"),
            Refused("spec.softDeletePolicy.retentionDurationSeconds", "what is deleted would be gone at once", value=0),
            Mandatory("spec", ("versioning", "softDeletePolicy"), "what is overwritten or deleted would be gone"),
            Sense(_RULE, _lasting),
        ),
    ),
)
