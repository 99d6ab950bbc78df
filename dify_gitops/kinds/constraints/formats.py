"""Formats that the fields of several kinds have in common: (pattern, what it is called)."""

from __future__ import annotations

import ipaddress
import re

DURATION = r"[0-9]+(\.[0-9]+)?s", "a duration in seconds, such as 300s"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time such as 03:00"
TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "a time such as 2026-01-05T16:00:00Z"
REGION = r"[a-z]+-[a-z]+[0-9]{1,2}", "a region such as asia-northeast1"
REGION_OR_GLOBAL = rf"global|{REGION[0]}", "global or a region such as asia-northeast1"
ZONE = rf"{REGION[0]}-[a-z]", "a zone such as asia-northeast1-a"
CIDR = r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", "an IPv4 range such as 10.0.0.0/16"
ANY_CIDR = r"[0-9a-fA-F.:]+/[0-9]{1,3}", "a range such as 10.0.0.0/16 or fd20::/20"
IPV4 = r"[0-9]{1,3}(\.[0-9]{1,3}){3}", "an IPv4 address"
PORTS = r"[0-9]{1,5}(-[0-9]{1,5})?", "a port or a range of ports, such as 22 or 8000-9000"
FQDN = r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+", "a DNS name in lower case with its trailing dot"
# RFC 1035 label: most of Compute Engine.
LABEL = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "a letter and at most 62 lower-case letters, digits and hyphens"
# Languages of queries and filters: Cloud Armor's, Logging's, Monitoring's, PromQL.
FILTER = r"(?s).*\S.*", "a filter"
QUOTED = re.compile(r"""[rR]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_COMMENT = re.compile(r"--.*")
_CLOSING = {")": "(", "]": "[", "}": "{"}


def cidr(value: str) -> str | None:
    """What is wrong with an IPv4 range."""
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        return "is no IPv4 range"
    return None if str(network) == value else f"has host bits set; did you mean {network}?"


def any_cidr(value: str) -> str | None:
    """What is wrong with a range of either version of IP."""
    if ":" not in value:
        return cidr(value)
    try:
        ipaddress.IPv6Network(value)
    except ValueError:
        return "is no IPv6 range, or has host bits set"
    return None


def ipv4(value: str) -> str | None:
    """What is wrong with an IPv4 address."""
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return "is no IPv4 address"
    return None


def ports(value: str) -> str | None:
    """What is wrong with a port or a range of ports."""
    first, _, last = value.partition("-")
    if int(last or first) > 65535:  # noqa: PLR2004 - the last port that TCP has
        return "is beyond the last port, 65535"
    return f"ends before it begins; did you mean {last}-{first}?" if last and int(last) < int(first) else None


def balanced(value: str) -> str | None:
    """Whether quotes and brackets of a filter pair up; brackets within quotes are text."""
    rest = _COMMENT.sub("", QUOTED.sub(" ", value))
    opened: list[str] = []
    for sign in rest:
        if sign in "([{":
            opened.append(sign)
        elif sign in _CLOSING and (not opened or opened.pop() != _CLOSING[sign]):
            opened = [sign]
            break
    good = not opened and "'" not in rest and '"' not in rest
    return None if good else "has a quote or bracket too few or too many"
