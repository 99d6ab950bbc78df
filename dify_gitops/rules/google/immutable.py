"""What cannot change: two versions of one object compared by what `dify_gitops/kinds/constraints` knows of its kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.errors import Finding
from dify_gitops.kinds.constraints import KINDS
from dify_gitops.kinds.constraints.paths import values
from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.google.estate import service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Object

RULE = "google-immutable"
_EVERYWHERE = ("spec.resourceID", "spec.location")
_HINT = "it needs a new name, and so a new resource: docs/operations.md"


def immutable_changes(before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]], where: str) -> list[Finding]:
    """A finding for each fixed field that differs between two versions of an object; ``where`` is their file.

    Config Connector refuses most of these changes when they are applied; some it accepts, and does nothing or makes a
    second resource (SQLInstance, StorageBucket).
    """
    old = {(item.group, item.kind, item.namespace, item.name): item for item in Cluster(before, "").objects}
    found = []
    for item in Cluster(after, "").objects:
        previous = old.get((item.group, item.kind, item.namespace, item.name))
        if previous and service(item):
            found += [
                Finding(where, str(item), field, RULE, message, _HINT) for field, message in _fixed(previous, item)
            ]
    return sorted(found)


def _fixed(before: Object, after: Object) -> Iterator[tuple[str, str]]:
    known = KINDS.get((service(after), after.kind))
    for path in (*_EVERYWHERE, *(known.immutable if known else ())):
        old, new = ([value for _, value in values(item.data, path)] for item in (before, after))
        if old != new:
            yield path, f"{_show(old)} cannot become {_show(new)}"
    key = names.PROJECT_ID
    if before.annotations.get(key) != after.annotations.get(key):
        message = f"{before.annotations.get(key)} cannot become {after.annotations.get(key)}"
        yield f"metadata.annotations[{key}]", message


def _show(found: list[Any]) -> str:
    return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in found) or "nothing"


def not_compared(where: str) -> Finding:
    """Nobody knows what changed in a file of which the former text is lost."""
    message = "what stood there cannot be read, so nothing was compared"
    return Finding(where, "", "", RULE, message, "compare with the last revision by eye")
