"""Rules over what Dify's programs are told: settings that work wrongly without a word when they are missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.rules.access import get, maps, text
from dify_gitops.rules.dify import api_processes, image_name
from dify_gitops.rules.environment import variables
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod

_SECRET, _ABSENT, _SET = "from a Secret", "absent", "set"  # what a variable must be, instead of a value
_API, _WORKER, _WEAVIATE, _PLUGIN_DAEMON = "api", "worker", "weaviate", "dify-plugin-daemon"


class Wanted(NamedTuple):
    """What a variable must be in programs: modes of the api's image, or last parts of other images' names."""

    programs: tuple[str, ...]
    variable: str
    value: str
    why: str


_BOTH = (_API, _WORKER)
_SETTINGS = (
    Wanted((_WEAVIATE,), "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "false", "by default everybody may read all"),
    Wanted((_WEAVIATE,), "AUTHENTICATION_APIKEY_ENABLED", "true", "otherwise the key is not asked for"),
    Wanted((_WEAVIATE,), "AUTHENTICATION_APIKEY_ALLOWED_KEYS", _SECRET, "it is the only password"),
    Wanted((_PLUGIN_DAEMON,), "FORCE_VERIFYING_SIGNATURE", "true", "unsigned plugins would be installed"),
    Wanted(
        (_PLUGIN_DAEMON,), "DB_EXTRAS", _ABSENT, "it is for the api's driver, and the daemon does not connect with it"
    ),
    Wanted((_PLUGIN_DAEMON,), "SERVER_KEY", _SECRET, "the default is published"),
    Wanted((_PLUGIN_DAEMON,), "DIFY_INNER_API_KEY", _SECRET, "the default is published"),
    Wanted(_BOTH, "SSRF_PROXY_HTTP_URL", _SET, "users' requests would reach the inside of the cluster"),
    Wanted(_BOTH, "SSRF_PROXY_HTTPS_URL", _SET, "users' requests would reach the inside of the cluster"),
    Wanted(_BOTH, "SECRET_KEY", _SECRET, "it signs sessions"),
    Wanted(_BOTH, "PLUGIN_DAEMON_KEY", _SECRET, "the default is published"),
    Wanted(_BOTH, "INNER_API_KEY_FOR_PLUGIN", _SECRET, "the default is published"),
    Wanted(_BOTH, "CODE_EXECUTION_API_KEY", _SECRET, "the default is published"),
    Wanted(_BOTH, "WEAVIATE_API_KEY", _SECRET, "the default is published"),
    Wanted(_BOTH, "DB_PASSWORD", _SECRET, "the default is published"),
    Wanted(_BOTH, "REDIS_PASSWORD", _SECRET, "the default is published"),
    Wanted(_BOTH, "CELERY_BROKER_URL", _SECRET, "it holds the password of Redis"),
    Wanted((_API,), "SWAGGER_UI_ENABLED", "false", "it shows every route to everybody"),
)
# Variables that Dify reads as numbers or switches: an empty text is none, and the program does not start.
_TYPED = re.compile(
    r".*_(AMOUNT|CONNECTIONS|CONNS|COUNT|DAYS|DB|DEPTH|ENABLED|EXECUTORS|HOURS|INTERVAL|LENGTH|LIMIT|MINUTES|"
    r"MULTIPLIER|OVERFLOW|PORT|RECYCLE|SECONDS|SIZE|STEPS|TIME|TIMEOUT|TTL)"
)
_HTTP, _HTTPS = "SSRF_PROXY_HTTP_URL", "SSRF_PROXY_HTTPS_URL"


def _programs(cluster: Cluster) -> Iterator[tuple[str, Pod, Container]]:
    for process in api_processes(cluster):
        yield process.mode, process.pod, process.container
    for pod in cluster.pods:
        for container in pod.containers:
            if image_name(container) in (_WEAVIATE, _PLUGIN_DAEMON):
                yield image_name(container), pod, container


@rule(
    "dify-settings",
    why="these programs start with other values, too, and are open, unsafe or wrong without saying so",
    remedy="leave the variable as dify_gitops/catalogue/variables sets it",
)
def dify_settings(cluster: Cluster) -> Iterator[Flaw]:
    """Variables on which safety depends have the value that they must have; none that is a number is empty."""
    for program, pod, container in _programs(cluster):
        known = variables(cluster, pod, container)
        for wanted in _SETTINGS:
            if program not in wanted.programs:
                continue
            found = known.get(wanted.variable)
            actual = _SECRET if _from_secret(container, wanted.variable) else found.value if found else ""
            right = bool(actual) if wanted.value == _SET else actual == wanted.value
            if wanted.value == _ABSENT:
                right = not actual and found is None
            if not right:
                field = found.field if found else f"{container.path}.env[{wanted.variable}]"
                yield Flaw(pod.owner, field, f"is not {wanted.value}: {wanted.why}")
        yield from _pairs(pod, container, {name: found.value for name, found in known.items()})
        for name, found in known.items():
            if not found.value.strip() and _TYPED.fullmatch(name):
                yield Flaw(pod.owner, found.field, "is empty, but a number or a switch")


def _pairs(pod: Pod, container: Container, known: dict[str, str]) -> Iterator[Flaw]:
    if known.get(_HTTP, "") != known.get(_HTTPS, "") and known.get(_HTTP) and known.get(_HTTPS):
        yield Flaw(pod.owner, f"{container.path}.env[{_HTTPS}]", f"is not the same as {_HTTP}")


def _from_secret(container: Container, variable: str) -> bool:
    """The last entry of a name counts."""
    entries = [entry for entry in maps(container.data, "env") if text(entry, "name") == variable]
    return bool(entries) and get(entries[-1], "valueFrom", "secretKeyRef") is not None
