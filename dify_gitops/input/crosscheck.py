"""All rules that look at more than one value, in one list each, and where their complaints are put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dify_gitops.catalogue.given_away import given_away, unspeakable
from dify_gitops.catalogue.secrets import PUBLISHED_ANYWHERE
from dify_gitops.input.checks import availability, google, network, platform, queues, sizes, variables
from dify_gitops.input.checks.across import taken, token
from dify_gitops.input.words import dotted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.checks.across import Owners
    from dify_gitops.input.document import Document
    from dify_gitops.input.model import Environment, Platform
    from dify_gitops.input.nodes import Path

PROFILE: Final = ("profile",)

PLATFORM_RULES: Final[tuple[Callable[[Platform], Complaints], ...]] = (
    platform.repository,
    platform.ssh_host,
    platform.labels,
    platform.waivers,
    google.labels,
)

ENVIRONMENT_RULES: Final[tuple[Callable[[Environment], Complaints], ...]] = (
    network.overlap,
    network.usable,
    network.sizes,
    network.room_for_nodes,
    sizes.bounds,
    sizes.limits,
    sizes.connections,
    sizes.ports,
    availability.production,
    availability.everywhere,
    queues.unknown,
    queues.twice,
    queues.rest_alone,
    queues.left,
    queues.idle,
    queues.polled,
    variables.names,
    variables.values,
    variables.patience,
    variables.smtp,
    google.zones,
    google.machine,
    google.authorized,
    google.protection,
    google.disk,
    google.endpoint,
    google.dns,
    google.edge,
    google.secrets,
)


class BadPaths:
    """The paths that have a problem of their own, for quick answers."""

    def __init__(self, paths: list[Path]) -> None:
        self._bad = {star for path in paths for star in _stars(path)}
        self._above = {star[:length] for star in self._bad for length in range(len(star) + 1)}

    def touches(self, path: Path) -> bool:
        """Whether ``path``, something above it or something below it is bad; ``*`` in it stands for any key."""
        return path in self._above or any(path[:length] in self._bad for length in range(len(path)))


def _stars(path: Path) -> list[Path]:
    """The path itself, and with ``*`` for each of its steps."""
    return [path, *((*path[:index], "*", *path[index + 1 :]) for index in range(len(path)))]


class Loaded(msgspec.Struct, frozen=True):
    """An environment with the file that it came from, and the paths whose values are only stand-ins."""

    name: str
    document: Document
    environment: Environment
    bad: list[Path]


def check_platform(document: Document, value: Platform, bad: list[Path]) -> None:
    """Add what PLATFORM_RULES say to the document's problems."""
    paths = BadPaths(bad)
    for rule in PLATFORM_RULES:
        _report(document, rule(value), paths)
    _secrets(document)


def check_environment(loaded: Loaded) -> None:
    """Add what ENVIRONMENT_RULES say to the document's problems."""
    paths = BadPaths(loaded.bad)
    for rule in ENVIRONMENT_RULES:
        _report(loaded.document, rule(loaded.environment), paths)
    _secrets(loaded.document)


def check_across(environments: list[Loaded], platform: Platform) -> None:
    """Add to the documents' problems what does not fit to the platform, or what an earlier environment has already."""
    owners: Owners = {}
    for loaded in environments:
        paths = BadPaths(loaded.bad)
        _report(loaded.document, taken(loaded.environment, loaded.document.file, owners), paths)
        _report(loaded.document, token(loaded.environment, platform), paths)


def _report(document: Document, complaints: Complaints, bad: BadPaths) -> None:
    for complaint in complaints:
        paths = (complaint.path, *complaint.also)
        if any(bad.touches(path) for path in paths):
            continue
        if bad.touches(PROFILE) and not all(document.holds(path) for path in paths):
            continue  # it is about a default that the right profile may not have
        # The key that the user wrote, rather than the one that was left at its default.
        held = [path for path in paths if document.holds(path)]
        node = document.place(held[0] if held else complaint.path, about_key=complaint.about_key)
        key = dotted(complaint.path)
        document.problem(node, key, complaint.message, complaint.hint, secret=complaint.secret)


def _secrets(document: Document) -> None:
    """No key and no value is a secret: neither a real one, nor a sample value of Dify's own documentation."""
    if not given_away(document.text):
        return
    for path, node in document.scalars():
        if any(sample in node.text for sample in PUBLISHED_ANYWHERE):
            document.problem(node, dotted(path), "is a published sample secret", "remove it: secrets are never input")
        elif unspeakable(node.text) and not document.blames(node):
            document.problem(node, dotted(path), "is a secret")  # its words are those of the document
