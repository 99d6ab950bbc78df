"""Rules over secrets: no value of one stands in the repository, whatever it is called and wherever it is."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.catalogue.secrets import PUBLISHED_ANYWHERE, PUBLISHED_WHOLE, is_secret
from dify_gitops.rules.access import labels, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Object

# What gives a secret away wherever it stands, after a piece of text without which there is none: most texts have none
# of these.
_PATTERNS = {
    "a private key": ("PRIVATE KEY", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    "a password in a URL": ("://", re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@\"']*:(?![${<%])[^\s/@\"'{}$<>]+@")),
    "a Google API key": ("AIza", re.compile(r"\bAIza[\w-]{35}\b")),
    "a Google access token": ("ya29.", re.compile(r"\bya29\.[\w-]{20,}")),
    "an AWS access key": ("IA", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    "a GitHub token": ("_", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})")),
    "a Slack token": ("xox", re.compile(r"\bxox[abprs]-[\w-]{10,}")),
    "an API key": ("sk-", re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")),
    "a JSON web token": ("eyJ", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+")),
    "a published sample value of Dify": ("", re.compile("|".join(map(re.escape, PUBLISHED_ANYWHERE)))),
}
_SHORTEST = min(map(len, PUBLISHED_ANYWHERE))  # characters; all others are longer
# Words that tell no secret, even under the name of one; a path only says where it lies.
_INNOCENT = re.compile(
    r"|true|false|on|off|yes|no|none|null|/\S*|(?:\$(?:[({][A-Za-z_]\w*[)}]|[A-Za-z_]\w*))+", re.IGNORECASE
)
# Generated passwords and keys: one word, long, of mixed characters. Digests are hexadecimal, names have dots or
# no capitals, words of a language repeat letters.
_WORD = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
_OPTION = re.compile(r"-{0,2}[A-Za-z][\w-]*")
_BITS_PER_CHARACTER = 4.0
_OF_EACH_KIND = 3


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


def given_away(value: str) -> str:
    """What kind of secret a text holds, whatever it is called; empty for none."""
    if len(value) < _SHORTEST:
        return ""
    for kind, (piece, pattern) in _PATTERNS.items():
        if piece in value and pattern.search(value):
            return kind
    return ""


def _tells(item: Text) -> str:
    """What kind of secret a text looks like; empty for none."""
    if kind := given_away(item.value):
        return kind
    if item.name and is_secret(item.name.replace("-", "_")) and not _INNOCENT.fullmatch(item.value):
        published = item.value in PUBLISHED_WHOLE
        return "a published sample value of Dify" if published else "a secret by its name"
    return "a generated password or key" if item.name and _random(item.value) else ""


def _random(value: str) -> bool:
    if not _WORD.fullmatch(value) or _HEXADECIMAL.fullmatch(value):
        return False
    kinds = (sum(map(test, value)) for test in (str.isupper, str.islower, str.isdigit))
    total = len(value)
    bits = -sum(count / total * math.log2(count / total) for count in Counter(value).values())
    return all(count >= _OF_EACH_KIND for count in kinds) and bits >= _BITS_PER_CHARACTER
