"""What the rules over Argo CD look at: its objects, and everything that its Applications bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.rules.access import get, text
from dify_gitops.rules.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from dify_gitops.k8s.objects import Identity
    from dify_gitops.rules.cluster import Object


class Delivery:
    """One environment. ``folders`` is what each path of the repository renders, argocd/ itself included.

    ``expected`` is what the input gives to argocd/; ``upstream`` is (kind, name) of the ConfigMaps and Secrets that
    Argo CD's own manifests hold, as they are patched there.
    """

    def __init__(
        self,
        folders: Mapping[str, Iterable[dict[str, Any]]],
        own: str,
        repository: str,
        expected: Iterable[Identity],
        upstream: frozenset[tuple[str, str]],
    ) -> None:
        self.repository = repository
        self.where = own
        self.expected = list(expected)
        self.upstream = upstream
        self.folders = {path: Cluster(objects, "") for path, objects in folders.items()}
        self.own = self.folders[own]
        self.applications = self.own.every("Application")
        # Namespaces that Applications of others fill with what we do not know.
        self.foreign = {
            text(item.data, "spec", "destination", "namespace") for item in self.applications if not self.path(item)
        }
        self.projects = {item.name: item for item in self.own.every("AppProject")}

    def path(self, application: Object) -> str:
        """Folder of this repository that an Application syncs; empty for those of others."""
        source = get(application.data, "spec", "source")
        return text(source, "path") if text(source, "repoURL") == self.repository else ""

    def rendered(self, application: Object) -> list[Object]:
        """Objects that an Application brings, where they are known."""
        cluster = self.folders.get(self.path(application))
        return cluster.objects if cluster else []

    def owners(self) -> Iterator[Owned]:
        """Every object with the Application that brings it."""
        for application in self.applications:
            for item in self.rendered(application):
                yield Owned(application, item)


class Owned(NamedTuple):
    """An object, and the Application whose folder holds it."""

    application: Object
    item: Object
