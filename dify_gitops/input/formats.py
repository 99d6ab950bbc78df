"""Formats of single values: a pattern, what it is called in a message, and what to do when it does not fit.

``text`` makes metadata that the loader reads: ``what`` completes «expected …», ``check`` (value → complaint
or None) sees what a pattern cannot.
"""

import ipaddress
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from dify_gitops.catalogue.given_away import given_away, random_looking

Check = Callable[[str], str | None]


def text(
    pattern: str, what: str, example: str, *, hint: str = "", check: Check | None = None, hidden: bool = False
) -> Meta:
    """What makes a string type; ``hint`` says how to write one, «such as <example>» if it is not given.

    A ``hidden`` one is not repeated where it is wrong: somebody may have put a secret there.
    """
    extra = {"what": what, "hint": hint or f"such as {example}", "check": check, "hidden": hidden}
    return Meta(pattern=pattern, examples=[example], extra=extra)


# Native sidecars and preStop.sleep are on by default from 1.30 on; the schemas end with 1.37.
_MINORS = (30, 37)


def _supported(value: str) -> str | None:
    if not _MINORS[0] <= int(value.partition(".")[2]) <= _MINORS[1]:
        return f"is not between 1.{_MINORS[0]} and 1.{_MINORS[1]}"
    return None


def _cidr(value: str) -> str | None:
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        return "is not an IPv4 range"
    if str(network) != value:
        return f"has host bits set; did you mean {network}?"
    return None


# minute hour day-of-month month day-of-week: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
_CRON_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)


def _cron(value: str) -> str | None:
    for part, (name, low, high) in zip(value.split(), _CRON_FIELDS, strict=True):
        for item in part.split(","):
            span, _, step = item.partition("/")
            numbers = [] if span == "*" else span.split("-")
            if not all(number.isdigit() and low <= int(number) <= high for number in numbers):
                return f"has {item!r} as {name}, which must be {low} to {high}"
            if len(numbers) == 2 and int(numbers[0]) > int(numbers[1]):  # noqa: PLR2004 - a range has two ends
                return f"has {item!r} as {name}, which runs backwards"
            if step and int(step) == 0:
                return f"has a step of 0 as {name}"
    return None


def _cpu(value: str) -> str | None:
    return None if value.strip("0.m") else "is no CPU at all"


_MOST_CORES, _LEAST_MEMORY, _MEMORY_STEP = 96, 3840, 256  # MB


def _sql_tier(value: str) -> str | None:
    """https://cloud.google.com/sql/docs/postgres/instance-settings (machine type, cores, memory)."""
    kind, _, size = value.removeprefix("db-").partition("-")
    if kind != "custom":
        return None
    cores, memory = (int(number) for number in size.split("-"))
    if cores != 1 and (cores % 2 or not 0 < cores <= _MOST_CORES):
        return f"has {cores} vCPU; Cloud SQL offers 1, or an even number up to {_MOST_CORES}"
    if memory % _MEMORY_STEP or memory < _LEAST_MEMORY:
        return f"has {memory} MB; Cloud SQL offers multiples of {_MEMORY_STEP}, from {_LEAST_MEMORY} on"
    if not 0.9 * 1024 * cores <= memory <= 6.5 * 1024 * cores:
        return f"has {memory} MB for {cores} vCPU; Cloud SQL wants 0.9 to 6.5 GB for each"
    return None


def _time_zone(value: str) -> str | None:
    from zoneinfo import ZoneInfo  # only where a zone is given

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return "is not in the time zone database"
    return None


ProjectId = Annotated[
    str,
    text(
        r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        "a Google Cloud project id",
        "acme-dify-prod",
        hint="6 to 30 lower-case letters, digits and hyphens, beginning with a letter",
    ),
]
Region = Annotated[
    str,
    text(
        r"^[a-z]+-[a-z]+[0-9]{1,2}$",
        "a Google Cloud region",
        "asia-northeast1",
        hint="such as asia-northeast1; a region, not a zone",
    ),
]
Zone = Annotated[str, text(r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$", "a Google Cloud zone", "asia-northeast1-a")]
# At most 63 characters: a ManagedCertificate takes no longer names.
Domain = Annotated[
    str,
    text(
        r"^(?=.{4,63}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$",
        "a domain name",
        "dify.acme.example",
        hint="such as dify.acme.example: lower case, no scheme, no path, at most 63 characters",
    ),
]
Cidr = Annotated[
    str,
    text(
        r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
        "an IPv4 range",
        "10.0.0.0/16",
        check=_cidr,
    ),
]
Cpu = Annotated[
    str,
    text(
        r"^([1-9][0-9]*m?|[0-9]+\.[0-9]{1,3})$",
        "a CPU quantity",
        "500m",
        hint="such as 500m, or '2' in quotes",
        check=_cpu,
    ),
]
Bytes = Annotated[
    str,
    text(
        r"^[1-9][0-9]*([kMGTP]|[KMGTP]i)$",
        "a memory or disk quantity",
        "512Mi",
        hint="such as 512Mi or 100Gi",
    ),
]
Cron = Annotated[
    str,
    text(
        r"^[0-9*/,-]+( [0-9*/,-]+){4}$",
        "a schedule of five fields",
        "0 3 * * *",
        hint="minute, hour, day of month, month, day of week, such as '0 3 * * *'",
        check=_cron,
    ),
]
Time = Annotated[
    str, text(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "a time of day", "03:00", hint="such as '03:00', in quotes")
]
Email = Annotated[str, text(r"^[^@\s<>]+@[a-z0-9-]+(\.[a-z0-9-]+)+$", "an e-mail address", "platform@acme.example")]
TimeZone = Annotated[
    str,
    text(
        r"^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$",
        "a time zone",
        "Asia/Tokyo",
        hint="a name of the time zone database, such as Asia/Tokyo",
        check=_time_zone,
    ),
]
KubernetesMinor = Annotated[
    str,
    text(
        r"^1\.[0-9]{2}$",
        "a Kubernetes minor version",
        "1.35",
        hint="such as '1.35', in quotes",
        check=_supported,
    ),
]
ImageName = Annotated[
    str,
    text(
        r"^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
        "an image reference without tag",
        "asia-docker.pkg.dev/acme/mirror",
        hint="such as asia-docker.pkg.dev/acme/mirror; tag and digest have keys of their own",
    ),
]
Tag = Annotated[str, text(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", "an image tag", "1.11.4", hint="such as '1.11.4'")]
Digest = Annotated[
    str,
    text(
        r"^sha256:[0-9a-f]{64}$",
        "an image digest",
        "sha256:" + 64 * "0",
        hint="sha256: and 64 hexadecimal digits",
    ),
]
DnsLabel = Annotated[
    str,
    text(
        r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
        "a name",
        "indexing",
        hint="at most 40 lower-case letters, digits and hyphens, beginning with a letter",
    ),
]
QueueName = Annotated[str, text(r"^[a-z][a-z0-9_]*$", "a queue name", "dataset")]
BucketName = Annotated[
    str,
    text(
        r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$",
        "a bucket name",
        "acme-dify-prod-dify",
        hint="3 to 63 lower-case letters, digits, hyphens and underscores",
    ),
]
InstanceName = Annotated[
    str,
    text(
        r"^[a-z]([a-z0-9-]{0,96}[a-z0-9])?$",
        "a Cloud SQL instance name",
        "dify-postgres-a",
    ),
]
SqlTier = Annotated[
    str,
    text(
        r"^db-(custom-[0-9]{1,3}-[0-9]{1,7}|perf-optimized-N-(2|4|8|16|32|48|64|80|96|128))$",
        "a Cloud SQL tier",
        "db-custom-2-4096",
        hint="such as db-custom-2-4096: 2 vCPU, 4096 MB",
        check=_sql_tier,
    ),
]
RedisName = Annotated[
    str,
    text(r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", "a Memorystore instance name", "dify-redis-a"),
]
# GKE takes 40 characters; the pool for gVisor has a suffix.
PoolName = Annotated[str, text(r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", "a node pool name", "dify-a")]
# e2-standard-4, c3-standard-4-lssd, a2-highgpu-1g: https://cloud.google.com/compute/docs/machine-resource
MachineType = Annotated[
    str,
    text(r"^[a-z][a-z0-9]*-[a-z]+-[0-9]+[a-z]?(-[a-z0-9]+)*$", "a Compute Engine machine type", "e2-standard-4"),
]
# https://cloud.google.com/storage/docs/locations: multi-regions, predefined dual-regions, regions.
BucketLocation = Annotated[
    str,
    text(
        r"^(ASIA|EU|US|ASIA1|EUR4|EUR5|EUR7|EUR8|NAM4|[A-Z]+-[A-Z]+[0-9]{1,2})$",
        "a location of Cloud Storage",
        "ASIA",
        hint="ASIA, EU, US, or a region such as ASIA-NORTHEAST1, in upper case",
    ),
]
ServiceAttachment = Annotated[
    str,
    text(
        r"^projects/[a-z0-9-]+/regions/[a-z0-9-]+/serviceAttachments/[a-z0-9-]+$",
        "a service attachment",
        "projects/p0123456789abcdef-tp/regions/asia-northeast1/serviceAttachments/a-0123456789ab",
        hint="as SQLInstance reports it: projects/…/regions/…/serviceAttachments/…",
    ),
]
DnsName = Annotated[
    str,
    text(
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$",
        "a DNS name with its trailing dot",
        "0123456789ab.0123456789cd.asia-northeast1.sql.goog.",
    ),
]


def _secret_name(value: str) -> str | None:
    kind = given_away(value) or ("a generated password or key" if random_looking(value) else "")
    return f"looks like {kind}, not like the name of a secret" if kind else None


SecretName = Annotated[
    str,
    text(
        r"^[A-Za-z0-9_-]{1,255}$",
        "a Secret Manager secret name",
        "dify-smtp-password",
        check=_secret_name,
        hidden=True,
    ),
]
VariableName = Annotated[
    str,
    text(
        r"^[A-Za-z_][A-Za-z0-9_]*$",
        "the name of an environment variable",
        "UPLOAD_FILE_SIZE_LIMIT",
    ),
]
LabelKey = Annotated[
    str,
    text(
        r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
        "a label key",
        "team",
        hint="at most 63 letters, digits, '-', '_' and '.', optionally after a domain and '/'",
    ),
]
LabelValue = Annotated[
    str,
    text(
        r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$",
        "a label value",
        "platform",
        hint="at most 63 letters, digits, '-', '_' and '.'",
    ),
]
GitUrl = Annotated[
    str,
    text(
        r"^(https://[^\s/]+/[^\s?#]+|ssh://[^\s]+|git@[^\s:]+:[^\s]+)$",
        "the URL of a Git repository",
        "https://github.com/acme/dify-platform.git",
    ),
]
GitBranch = Annotated[
    str,
    text(
        r"^(?!refs/|/|.*//|.*\.\.|.*/$|.*\.lock$)[A-Za-z0-9][A-Za-z0-9._/-]*$",
        "a Git branch",
        "main",
        hint="its name alone, without refs/heads/",
    ),
]
GitRevision = Annotated[
    str,
    text(
        r"^(refs/(heads|tags)/[A-Za-z0-9][A-Za-z0-9._/-]*|[0-9a-f]{40})$",
        "a Git revision",
        "refs/tags/v1.4.0",
        hint="written in full: refs/heads/…, refs/tags/… or the 40 digits of a commit",
    ),
]
GroupName = Annotated[
    str,
    text(r"^\S([^\r\n]*\S)?$", "a group", "platform-engineers", hint="one line, as the token's claim `groups` has it"),
]
HttpsUrl = Annotated[
    str, text(r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s?#]*)?$", "an https URL", "https://login.acme.example")
]
# Argo CD parses it with Go's time.ParseDuration.
Duration = Annotated[str, text(r"^[1-9][0-9]{0,3}[mh]$", "a duration", "8h", hint="such as 30m or 8h")]
