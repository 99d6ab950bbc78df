"""Cloud KMS: none is made here, but people bring their own keys for buckets, disks and backups.

Source: https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.formats import DURATION
from dify_gitops.kinds.constraints.model import Format, Kind, Mandatory, Name, OneOf, off

_NAME = r"[A-Za-z0-9_-]{1,63}", "a name of at most 63 letters, digits, '-' and '_'"
_DAY = 24 * 3600
_MOST_ROTATION, _LEAST_DELAY, _MOST_DELAY = 90, 30, 120  # days; Google wants one day at least, 120 at most


def _days(value: str) -> float:
    return float(value.removesuffix("s")) / _DAY


def _rotation(value: str) -> str | None:
    days = _days(value)
    return None if 1 <= days <= _MOST_ROTATION else f"is {days:g} days, not 1 to {_MOST_ROTATION}"


def _delay(value: str) -> str | None:
    days = _days(value)
    return None if _LEAST_DELAY <= days <= _MOST_DELAY else f"is {days:g} days, not {_LEAST_DELAY} to {_MOST_DELAY}"


KINDS = (
    Kind("kms", "KMSKeyRing", constraints=(Name(*_NAME),)),
    Kind(
        "kms",
        "KMSCryptoKey",
        immutable=(
            "spec.destroyScheduledDuration",
            "spec.importOnly",
            "spec.keyRingRef",
            "spec.purpose",
            "spec.skipInitialVersionCreation",
            "spec.versionTemplate.protectionLevel",
        ),
        constraints=(
            Name(*_NAME),
            OneOf("spec.purpose", ("ENCRYPT_DECRYPT",), "storage and disks can use no other key"),
            OneOf("spec.versionTemplate.protectionLevel", ("SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC")),
            OneOf("spec.versionTemplate.algorithm", ("GOOGLE_SYMMETRIC_ENCRYPTION", "EXTERNAL_SYMMETRIC_ENCRYPTION")),
            *off("spec.importOnly", "spec.skipInitialVersionCreation", why="a key without a version encrypts nothing"),
            Format("spec.rotationPeriod", *DURATION, _rotation),
            Format("spec.destroyScheduledDuration", *DURATION, _delay),
            Mandatory("spec", ("rotationPeriod",), "the key would never be renewed"),
            Mandatory("spec", ("destroyScheduledDuration",), "Google's default leaves less time to change one's mind"),
        ),
    ),
)
