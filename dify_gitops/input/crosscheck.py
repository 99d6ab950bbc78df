"""All rules that look at more than one value, in one list each, and where their complaints are put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dify_gitops.catalogue.secrets import PUBLISHED_ANYWHERE
from dify_gitops.input.checks import availability, network, platform, queues, sizes, variables
from dify_gitops.input.checks.across import taken
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
    platform.labels,
    platform.waivers,
)

ENVIRONMENT_RULES: Final[tuple[Callable[[Environment], Complaints], ...]] = (
    network.overlap,
    network.private,
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
    variables.smtp,
)


class Loaded(msgspec.Struct, frozen=True):
    """An environment with the file that it came from, and the paths whose values are only stand-ins."""

    name: str
    document: Document
    environment: Environment
    bad: list[Path]


def check_platform(document: Document, value: Platform, bad: list[Path]) -> None:
    """Add what PLATFORM_RULES say to the document's problems."""
    for rule in PLATFORM_RULES:
        _report(document, rule(value), bad)
    _published(document)


def check_environment(loaded: Loaded) -> None:
    """Add what ENVIRONMENT_RULES say to the document's problems."""
    for rule in ENVIRONMENT_RULES:
        _report(loaded.document, rule(loaded.environment), loaded.bad)
    _published(loaded.document)


def check_across(environments: list[Loaded]) -> None:
    """Add to the documents' problems what an earlier environment has for itself already."""
    owners: Owners = {}
    for loaded in environments:
        complaints = taken(loaded.environment, loaded.document.file, loaded.bad, owners)
        _report(loaded.document, complaints, loaded.bad)


def _report(document: Document, complaints: Complaints, bad: list[Path]) -> None:
    for complaint in complaints:
        paths = (complaint.path, *complaint.also)
        if any(_touch(path, other) for path in paths for other in bad):
            continue
        if PROFILE in bad and not all(document.holds(path) for path in paths):
            continue  # it is about a default that the right profile may not have
        # The key that the user wrote, rather than the one that was left at its default; else the profile.
        held = [path for path in paths if document.holds(path)]
        node = document.place(held[0] if held else complaint.path, about_key=complaint.about_key)
        if node is document.root:
            node = document.place(PROFILE)
        key = dotted(complaint.path)
        document.problem(node, key, complaint.message, complaint.hint, secret=complaint.secret)


def _touch(path: Path, other: Path) -> bool:
    return all(one == another or "*" in (one, another) for one, another in zip(path, other, strict=False))


def _published(document: Document) -> None:
    """Sample values of Dify's own documentation, as part of any key or value."""
    if any(sample in document.text for sample in PUBLISHED_ANYWHERE):
        for path, node in document.scalars():
            if any(sample in node.text for sample in PUBLISHED_ANYWHERE):
                document.problem(
                    node, dotted(path), "is a published sample secret", "remove it: secrets are never input"
                )
