"""Rules over secrets: no value of one stands in the repository, whatever it is called and wherever it is."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.catalogue.given_away import given_away, random_looking
from dify_gitops.catalogue.secrets import PUBLISHED_WHOLE, is_secret
from dify_gitops.rules.access import labels, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Object

# Words that tell no secret, even under the name of one; a path only says where it lies.
_INNOCENT = re.compile(
    r"|true|false|on|off|yes|no|none|null|/\S*|(?:\$(?:[({][A-Za-z_]\w*[)}]|[A-Za-z_]\w*))+", re.IGNORECASE
)
_OPTION = re.compile(r"-{0,2}[A-Za-z][\w-]*")


class Text(NamedTuple):
    """A piece of text in an object; ``name`` is empty where it has none of its own."""

    source: Object
    field: str
    name: str
    value: str


@rule(
    "no-secret-data",
    why="base64 is no encryption: whoever reads the repository, or its history, has the secret",
    remedy="let an ExternalSecret bring the value from Secret Manager",
)
def no_secret_data(cluster: Cluster) -> Iterator[Flaw]:
    """No Secret with values."""
    for secret in cluster.every("Secret"):
        for key in ("data", "stringData"):
            if labels(secret.data, key):
                yield Flaw(secret, key, "holds values")


@rule(
    "no-plain-secret",
    why="what stands in the repository is known to everybody who can read it, for ever",
    remedy="refer to a key of a Secret; if the value was real, replace it now",
)
def no_plain_secret(cluster: Cluster) -> Iterator[Flaw]:
    """No secret in environment, arguments, ConfigMaps or annotations; the message never repeats it."""
    for item in _texts(cluster):
        kind = _tells(item)
        if kind:
            yield Flaw(item.source, item.field, f"looks like {kind}")


def _texts(cluster: Cluster) -> Iterator[Text]:
    for item in cluster.objects:
        for key, value in item.annotations.items():
            yield Text(item, f"metadata.annotations[{key}]", "", value)
    for item in cluster.every("ConfigMap"):
        for key, value in labels(item.data, "data").items():
            yield Text(item, f"data[{key}]", key, value)
    for pod in cluster.pods:
        for key, value in pod.annotations.items():
            yield Text(pod.owner, pod.field(f"metadata.annotations[{key}]"), "", value)
        for container in pod.containers:
            yield from _in_container(pod.owner, container)


def _in_container(owner: Object, container: Container) -> Iterator[Text]:
    for entry in maps(container.data, "env"):
        name = text(entry, "name")
        yield Text(owner, f"{container.path}.env[{name}].value", name, text(entry, "value"))
    for part in ("command", "args"):
        said = [(f"{container.path}.{part}[{number}]", item) for number, item in enumerate(texts(container.data, part))]
        yield from _arguments(owner, said)


def _arguments(source: Object, said: list[tuple[str, str]]) -> Iterator[Text]:
    """Words of a command line: ``--password=…``, ``--password …`` and ``PASSWORD=…`` are values with a name."""
    words = [(field, word) for field, item in said for word in (item, *_split(item))]
    for field, word in words:
        option, equals, setting = word.partition("=")
        named = bool(equals) and _OPTION.fullmatch(option)
        yield Text(source, field, option.lstrip("-") if named else "", setting if named else word)
    single = [(field, word) for field, item in said for word in _split(item) or [item]]
    for (_, option), (field, word) in pairwise(single):
        if option.startswith("-") and _OPTION.fullmatch(option) and not word.startswith("-"):
            yield Text(source, field, option.lstrip("-"), word)


def _split(item: str) -> list[str]:
    """The words of an argument that a shell would split; none where it is one word."""
    return [word.strip("\"';") for word in item.split()] if len(item.split()) > 1 else []


def _tells(item: Text) -> str:
    """What kind of secret a text looks like; empty for none."""
    if kind := given_away(item.value):
        return kind
    if item.name and is_secret(item.name.replace("-", "_")) and not _INNOCENT.fullmatch(item.value):
        published = item.value in PUBLISHED_WHOLE
        return "a published sample value of Dify" if published else "a secret by its name"
    return "a generated password or key" if item.name and random_looking(item.value) else ""
