"""What we know about each custom kind: one JSON file per served version, read when somebody asks for it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent


class KindFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One served version of one custom kind.

    `scope` is Namespaced or Cluster; `origin` names project and version; `storage` marks the version that
    the API server stores; `subresources` and `schema` (structural, without prose) are as in a CRD version.
    """

    group: str
    version: str
    kind: str
    plural: str
    scope: str
    origin: str
    storage: bool
    subresources: dict[str, dict[str, str]]
    schema: dict[str, Any]

    @property
    def api_version(self) -> str:
        """Return what a manifest says in `apiVersion`."""
        return f"{self.group}/{self.version}"


@functools.cache
def facts(api_version: str, kind: str) -> KindFacts | None:
    """Return the facts about a custom kind, None if there are none (as for all of Kubernetes' own kinds)."""
    group, _, version = api_version.rpartition("/")
    path = FOLDER / group / f"{kind}_{version}.json"
    return msgspec.json.decode(path.read_bytes(), type=KindFacts) if path.is_file() else None


def all_kinds() -> Iterator[tuple[str, str]]:
    """Yield (apiVersion, kind) of every kind with facts, sorted; reads names only."""
    for path in sorted(FOLDER.glob("*/*.json")):
        kind, _, version = path.stem.rpartition("_")
        yield f"{path.parent.name}/{version}", kind
