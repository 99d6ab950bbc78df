"""What the rules over Google Cloud look at: everything that one ``config-connector/<env>`` renders, and its input."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.input.buckets import backup_bucket, files_bucket, plugin_bucket
from dify_gitops.rules.access import mapping, text
from dify_gitops.rules.cluster import Cluster, Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.input.model import Environment

_GROUP = f".{names.CNRM}"


def service(item: Object) -> str:
    """``sql`` for ``sql.cnrm.cloud.google.com``; empty for what is none of Config Connector's resources."""
    name = item.group.removesuffix(_GROUP)
    return name if name not in (item.group, "core") else ""


def real_name(item: Object) -> str:
    """Name in Google Cloud: ``spec.resourceID``, else the object's."""
    return text(item.data, "spec", "resourceID") or item.name


def _own(environment: Environment) -> dict[str, tuple[str, ...]]:
    """``{kind: names}`` of what is made for Dify, where people may well have another one beside it."""
    instance, pool = environment.database.instance, environment.nodes.pool
    return {
        "ComputeRouter": (names.ROUTER,),
        "ComputeRouterNAT": (names.NAT,),
        "ComputeSubnetwork": (names.SUBNET,),
        "ContainerCluster": (names.CLUSTER,),
        "ContainerNodePool": (pool, f"{pool}-gvisor"),
        "RedisInstance": (environment.redis.instance,),
        "SQLInstance": (instance, names.replica(instance)),
        "StorageBucket": tuple(bucket(environment) for bucket in (files_bucket, plugin_bucket, backup_bucket)),
    }


class Text(NamedTuple):
    """A text in a ``spec``: its field, key and mapping; those of its list for an item."""

    item: Object
    field: str
    key: str
    owner: dict[str, Any]
    value: str


def _texts(item: Object) -> Iterator[Text]:
    """Every text of one object, in no order."""
    spec = mapping(item.data, "spec")
    left: list[tuple[str, str, dict[str, Any], Any]] = [("spec", "", {}, spec)]
    while left:
        field, key, owner, node = left.pop()
        if isinstance(node, str):
            yield Text(item, field, key, owner, node)
        elif isinstance(node, list):
            left += [(f"{field}[{number}]", key, owner, child) for number, child in enumerate(node)]
        elif isinstance(node, dict):
            left += [(f"{field}.{name}", name, node, child) for name, child in node.items()]


class Estate(Cluster):
    """All objects of one project. ``environment`` is what they were made from."""

    def __init__(self, documents: Iterable[dict[str, Any]], environment: Environment) -> None:
        super().__init__(documents, environment.kubernetes, environment.dify)
        self.environment = environment
        self.project = environment.project
        self.resources = [item for item in self.objects if service(item)]
        self._own = _own(environment)
        self._google: dict[str, list[Object]] = {}
        for item in self.resources:
            self._google.setdefault(item.kind, []).append(item)

    @cached_property
    def texts(self) -> list[Text]:
        """Every text in every ``spec``."""
        return [found for item in self.objects for found in _texts(item)]

    def of(self, *kinds: str) -> list[Object]:
        """All resources of the given kinds."""
        return [item for kind in kinds for item in self._google.get(kind, [])]

    def ours(self, item: Object) -> bool:
        """Whether Dify itself runs on it, and not something that people put beside it."""
        return not {item.name, real_name(item)}.isdisjoint(self._own.get(item.kind, ()))

    def email(self, account: Object) -> str:
        """The e-mail of an IAMServiceAccount."""
        return f"{real_name(account)}@{names.account_domain(self.project)}"

    def named(self, kind: str, namespace: str, name: str) -> Object | None:
        """One resource by the name of its object."""
        return next((item for item in self.of(kind) if (item.namespace, item.name) == (namespace, name)), None)
