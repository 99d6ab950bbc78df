"""What a rule is: a generator of flaws with an id, a reason and a remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from dify_gitops.rules.cluster import Object


class Flaw(NamedTuple):
    """One thing that is wrong: object, path of the field, what is the matter; a hint if not the remedy."""

    object: Object
    field: str
    message: str
    hint: str = ""


Check = Callable[[Any], Iterator[Flaw]]
"""Takes a Cluster, or what a rule over Google Cloud looks at: an Estate, both halves (Joined), or what was made of ours
(Customised)."""


class Rule(msgspec.Struct, frozen=True):
    """``why`` and ``remedy`` are one line each; findings show the remedy, the documentation both."""

    id: str
    why: str
    remedy: str
    check: Check


def rule(name: str, *, why: str, remedy: str) -> Callable[[Check], Rule]:
    """Make a generator of flaws a rule with the id ``name``."""
    return lambda check: Rule(name, why, remedy, check)


def meant(near: str | None) -> str:
    """A hint that proposes the nearest name; empty where none is near, so that the remedy stands."""
    return f"did you mean {near}?" if near else ""


def shown(value: Any) -> str:
    """A value of a manifest as it stands in a message: text without quotes, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
