"""One module per file of ``config-connector/<env>/generated``: each has ``concern(site)``, what stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment, Platform
    from dify_gitops.k8s.objects import Manifest


class Site(NamedTuple):
    """What the modules look at: one environment, its name, and what all environments share."""

    name: str
    environment: Environment
    platform: Platform


class Concern(NamedTuple):
    """One file: its name without ending, the sentence at its head, its objects in the order of reading."""

    name: str
    why: str
    manifests: list[Manifest]
