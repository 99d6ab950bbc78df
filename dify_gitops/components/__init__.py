"""One module per folder of ``base/``: each has ``component()``, which returns what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dify_gitops.k8s.objects import Manifest


class ConfigMap(NamedTuple):
    """A ConfigMap that kustomize generates from files, so that a change of theirs restarts the pods that use it.

    ``files`` maps file names to texts. One ``.env`` file becomes one key per line, other files one key each.
    """

    name: str
    files: dict[str, str]
    namespace: str = "dify"


class Component(NamedTuple):
    """A folder of the base."""

    name: str
    why: str
    manifests: list[Manifest]
    config: tuple[ConfigMap, ...] = ()
