"""Cloud SQL for PostgreSQL: instances, databases, users.

Sources: the controller of Config Connector 1.155 (pkg/controller/direct/sql), the Cloud SQL Admin API
(https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances), CIS Google Cloud Foundation Benchmark 6.2.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from dify_gitops.catalogue.google import ENTERPRISE, ENTERPRISE_PLUS, READ_REPLICA, SQL_EDITIONS
from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.formats import CLOCK, DURATION, ZONE
from dify_gitops.kinds.constraints.model import (
    Excludes,
    Format,
    Kind,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    Sense,
    Unique,
    When,
    named,
    off,
    on,
    written,
)
from dify_gitops.kinds.constraints.paths import values

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUSTED = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
_IP_KEY = "settings.ipConfiguration"
_IP = f"spec.{_IP_KEY}"
_BACKUP = "spec.settings.backupConfiguration"
_DENY = "spec.settings.denyMaintenancePeriod"
_DATE = r"([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a date such as 2026-12-24 or 12-24"

_LONGEST = 90  # days without maintenance
# The most of what the smaller edition takes: https://cloud.google.com/sql/docs/postgres/editions-intro
_MOST = {
    "backupConfiguration.transactionLogRetentionDays": 7,
    "insightsConfig.queryPlansPerMinute": 20,
    "insightsConfig.queryStringLength": 4500,
}

# What CIS wants of flags, or more; () is any value, as of other flags.
_FLAGS = {
    "cloudsql.enable_pgaudit": ("on",),
    "cloudsql.iam_authentication": ("on",),
    "log_checkpoints": ("on",),
    "log_connections": ("on",),
    "log_disconnections": ("on",),
    "log_lock_waits": ("on",),
    "log_min_duration_statement": (),
    "log_min_error_statement": ("error", "log", "fatal", "panic"),
    "log_min_messages": ("warning", "error", "log", "fatal", "panic"),
    "log_statement": ("ddl", "mod", "all"),
    "log_temp_files": (),
}
_NUMBERS = frozenset(
    "autovacuum_max_workers idle_in_transaction_session_timeout maintenance_work_mem max_connections "
    "max_worker_processes shared_buffers statement_timeout work_mem".split()
)
_OPTIONAL = {"log_hostname": ("off",)}  # off by default


def _edition(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Machine and limits fit the edition."""
    edition, tier = settings.get("edition"), settings.get("tier")
    if edition not in (ENTERPRISE, ENTERPRISE_PLUS):
        return
    for prefix, wanted in SQL_EDITIONS.items():
        if isinstance(tier, str) and tier.startswith(prefix) and edition != wanted:
            yield "tier", f"{tier} is a machine of edition {wanted}, not {edition}"
    if edition == ENTERPRISE:
        for path, most in _MOST.items():
            for field, value in values(settings, path):
                if isinstance(value, int) and value > most:
                    yield field, f"{value} is more than {most}, the most of edition {edition}"


def _flags(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Flags for the log are there, with their values. A patch of the list replaces all of it."""
    flags = settings.get("databaseFlags", [])
    found = set()
    for number, flag in enumerate(flags if isinstance(flags, list) else []):
        name, value = (flag.get("name"), flag.get("value")) if isinstance(flag, dict) else (None, None)
        found.add(str(name))
        allowed = {**_FLAGS, **_OPTIONAL}.get(str(name))
        if allowed and value not in allowed:
            yield f"databaseFlags[{number}].value", f"{value} of {name} is not {' or '.join(allowed)}"
        if str(name) in _NUMBERS and not re.fullmatch(r"-?[0-9]+", str(value)):
            yield f"databaseFlags[{number}].value", f"{value} of {name} is not a number"
    if missing := [name for name in _FLAGS if name not in found]:
        yield "databaseFlags", f"lacks {', '.join(missing)}"


def _date(value: str) -> dt.date | None:
    """A date; without its year, of a leap year."""
    try:
        return dt.date.fromisoformat(value if value.count("-") > 1 else f"2024-{value}")
    except ValueError:
        return None


def _day(value: str) -> str | None:
    return None if _date(value) else "is no day of any year"


def _denied(period: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """At most 90 days; without years, in each year: https://cloud.google.com/sql/docs/postgres/maintenance."""
    first, last = str(period.get("startDate")), str(period.get("endDate"))
    start, end = _date(first), _date(last)
    if not start or not end:
        return  # told by their format
    if first.count("-") != last.count("-"):
        yield "endDate", f"{last} and startDate, {first}, have not both a year"
        return
    days = (end - start).days
    if first.count("-") == 1:
        days %= 366  # over the turn of the year
    if not 0 <= days <= _LONGEST:
        yield "endDate", f"{last} is not 0 to {_LONGEST} days after startDate, {first}"


_INSTANCE = Kind(
    "sql",
    "SQLInstance",
    immutable=(
        "spec.cloneSource",
        "spec.encryptionKMSCryptoKeyRef",
        "spec.region",
        "spec.replicaConfiguration",
        "spec.settings.collation",
        "spec.settings.diskType",
        "spec.settings.timeZone",
    ),
    rising=("spec.databaseVersion",),
    constraints=(
        Name(*named(f.InstanceName)),
        *off(f"{_IP}.ipv4Enabled", why="the database would have an address on the internet"),
        *off("spec.settings.insightsConfig.recordClientAddress", why="addresses of people have no place in a metric"),
        *on("spec.settings.diskAutoresize", why="a full disk stops the database"),
        *on("spec.settings.insightsConfig.queryInsightsEnabled", why="nobody could say which query is slow"),
        OneOf("spec.instanceType", ("CLOUD_SQL_INSTANCE", READ_REPLICA)),
        OneOf("spec.settings.edition", (ENTERPRISE, ENTERPRISE_PLUS)),
        OneOf("spec.settings.availabilityType", ("REGIONAL", "ZONAL")),
        OneOf("spec.settings.activationPolicy", ("ALWAYS",)),
        OneOf("spec.settings.pricingPlan", ("PER_USE",)),
        OneOf("spec.settings.diskType", ("PD_SSD", "PD_HDD", "HYPERDISK_BALANCED")),
        OneOf(
            "spec.settings.connectorEnforcement", ("REQUIRED",), "a stolen password would do, without any right in IAM"
        ),
        OneOf(f"{_IP}.sslMode", ("ENCRYPTED_ONLY", _TRUSTED), "passwords and data would go unencrypted"),
        OneOf(f"{_BACKUP}.backupRetentionSettings.retentionUnit", ("COUNT",)),
        OneOf("spec.settings.maintenanceWindow.updateTrack", ("canary", "stable", "week5")),
        OneOf("spec.settings.passwordValidationPolicy.complexity", ("COMPLEXITY_DEFAULT",)),
        Range("spec.settings.diskSize", 10, 65536),
        Range("spec.settings.diskAutoresizeLimit", 0, 65536),
        Range(f"{_BACKUP}.transactionLogRetentionDays", 1, 35),
        Range(f"{_BACKUP}.backupRetentionSettings.retainedBackups", 1, 365),
        Range("spec.settings.maintenanceWindow.day", 1, 7),
        Range("spec.settings.maintenanceWindow.hour", 0, 23),
        Format("spec.databaseVersion", r"POSTGRES_1[2-9]", "a PostgreSQL of Cloud SQL, such as POSTGRES_15"),
        Format("spec.settings.tier", *written(f.SqlTier)),
        Format("spec.settings.locationPreference.zone", *ZONE),
        Format("spec.settings.locationPreference.secondaryZone", *ZONE),
        Format(f"{_BACKUP}.startTime", *CLOCK),
        Format(f"{_BACKUP}.location", r"asia|eu|us|[a-z]+-[a-z]+[0-9]{1,2}", "asia, eu, us or a region"),
        Format(f"{_DENY}.startDate", *_DATE, _day),
        Format(f"{_DENY}.endDate", *_DATE, _day),
        Format(f"{_DENY}.time", r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]", "a time such as 00:00:00"),
        Unique("spec.settings.databaseFlags[].name"),
        Needs("spec", "instanceType", ("masterInstanceRef",), READ_REPLICA),
        Needs("spec", "masterInstanceRef", ("instanceType",), value_needed=READ_REPLICA),
        Needs(_IP, "ipv4Enabled", ("privateNetworkRef",), value=False),
        # Pairs that the API takes: https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances#ipconfiguration
        Needs(_IP, "requireSsl", ("sslMode",), value=True, value_needed=_TRUSTED),
        Needs(_IP, "sslMode", ("requireSsl",), _TRUSTED, value_needed=True),
        Needs(f"{_IP}.pscConfig[]", "allowedConsumerProjects", ("pscEnabled",), value_needed=True),
        Excludes("spec", "instanceType", ("settings.backupConfiguration",), READ_REPLICA),
        Refused(f"{_IP}.authorizedNetworks", "lets in addresses of the internet"),
        Refused(f"{_BACKUP}.binaryLogEnabled", "is MySQL's; PostgreSQL has pointInTimeRecoveryEnabled"),
        Refused("spec.replicaConfiguration", "is MySQL's"),
        Refused("spec.settings.collation", "is SQL Server's; an SQLDatabase has its own"),
        Refused("spec.settings.timeZone", "is SQL Server's; PostgreSQL has the flag timezone"),
        Mandatory("spec", ("databaseVersion", "region"), "Google would choose, and neither can be taken back"),
        Mandatory(
            "spec.settings",
            ("edition", "connectorEnforcement", "diskType", "diskAutoresize"),
            "Config Connector puts its own default there",
        ),
        Mandatory(
            "spec",
            (f"{_IP_KEY}.ipv4Enabled", f"{_IP_KEY}.sslMode"),
            "Config Connector's defaults are a public address without TLS",
        ),
        Mandatory("spec.settings", ("insightsConfig.queryInsightsEnabled",), "slow queries go unnoticed"),
        Sense("spec.settings", _edition),
        Sense("spec.settings", _flags),
        Sense(_DENY, _denied),
        # Replicas follow their primary.
        When(
            "spec",
            "instanceType",
            (None, "CLOUD_SQL_INSTANCE"),
            Mandatory(
                "settings", ("maintenanceWindow.day", "maintenanceWindow.hour"), "Google restarts it at any time"
            ),
        ),
        When(
            "spec",
            "instanceType",
            (None, "CLOUD_SQL_INSTANCE"),
            Mandatory("settings.backupConfiguration", ("startTime", "transactionLogRetentionDays"), "Google chooses"),
        ),
    ),
    # Any moment of a week: what went wrong on a Friday is seen on Monday.
    own=(Range(f"{_BACKUP}.transactionLogRetentionDays", 7, 35),),
)

_IAM_USERS = ("CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT")

KINDS = (
    _INSTANCE,
    Kind(
        "sql",
        "SQLDatabase",
        immutable=("spec.instanceRef",),
        constraints=(
            Name(
                r"(?!(postgres|cloudsqladmin|template[01])$)[a-z_][A-Za-z0-9_-]{0,62}",
                "a name of at most 63 letters, digits, '-' and '_' that PostgreSQL has not taken itself",
            ),
            # PostgreSQL on Cloud SQL makes no other ones.
            OneOf("spec.charset", ("UTF8",)),
            OneOf("spec.collation", ("en_US.UTF8",)),
            OneOf("spec.deletionPolicy", ("ABANDON", "DELETE")),
        ),
    ),
    Kind(
        "sql",
        "SQLUser",
        immutable=("spec.host", "spec.instanceRef", "spec.type"),
        constraints=(
            Name(
                r"(?!.*\.gserviceaccount\.com$)[a-z_][A-Za-z0-9_.@-]{0,62}",
                "a name of at most 63 letters; of a service account the address without .gserviceaccount.com",
            ),
            OneOf("spec.type", ("BUILT_IN", *_IAM_USERS)),
            Format("spec.passwordPolicy.passwordExpirationDuration", *DURATION),
            When(
                "spec",
                "type",
                (None, "BUILT_IN"),
                Mandatory("", ("password",), "a BUILT_IN user, the default, logs in with one"),
            ),
            *(Excludes("spec", "type", ("password",), kind) for kind in _IAM_USERS),
            Refused("spec.host", "is MySQL's"),
            Refused("spec.passwordPolicy.enablePasswordVerification", "is MySQL's"),
        ),
    ),
)
