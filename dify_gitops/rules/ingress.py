"""What an Ingress routes where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.rules.access import get, mapping, maps, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object


class Route(NamedTuple):
    """One path of an Ingress, or its default backend, which takes the rest; ``port`` is a number or a name."""

    host: str
    path: str
    path_type: str
    service: str
    port: str | int | None
    field: str

    @property
    def is_default(self) -> bool:
        """The default backend has no path type; the paths of a rule must have one."""
        return not self.path_type

    def rank(self, url: str) -> int:
        """How well the route fits a path: the longest wins, an exact one beats them all, -1 is not at all."""
        if not self.path:
            return 0
        if self.path_type == "Exact" or (self.path_type == "ImplementationSpecific" and "*" not in self.path):
            return 1 << 16 if url == self.path else -1
        prefix = self.path.removesuffix("*").rstrip("/")
        return 1 + len(prefix) if url == prefix or url.startswith(f"{prefix}/") else -1


def routes(ingress: Object) -> Iterator[Route]:
    """All routes, the default backend first."""
    if get(ingress.data, "spec", "defaultBackend") is not None:
        yield _route(mapping(ingress.data, "spec", "defaultBackend"), "", {}, "spec.defaultBackend")
    for entry in maps(ingress.data, "spec", "rules"):
        host = text(entry, "host")
        for item in maps(entry, "http", "paths"):
            field = f"spec.rules[{host}].http.paths[{text(item, 'path')}].backend"
            yield _route(mapping(item, "backend"), host, item, field)


def _route(backend: dict[str, Any], host: str, item: dict[str, Any], field: str) -> Route:
    port = mapping(backend, "service", "port")
    return Route(
        host=host,
        path=text(item, "path"),
        path_type=text(item, "pathType"),
        service=text(backend, "service", "name"),
        port=port.get("name", port.get("number")),
        field=f"{field}.service",
    )
