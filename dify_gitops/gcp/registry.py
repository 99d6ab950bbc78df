"""The mirror of images, where it is a repository of Artifact Registry in the environment's own project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

_REPOSITORY = re.compile(r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[a-z0-9-]+)/(?P<name>[a-z0-9-]+)")


def own_repository(environment: Environment) -> str:
    """``projects/P/locations/L/repositories/R`` of ``images.registry``; empty where it is none of ours.

    Nodes may read it then. A repository of another project must let the node account in by itself.
    """
    found = _REPOSITORY.match(environment.images.registry or "")
    if not found or found["project"] != environment.project:
        return ""
    return f"projects/{found['project']}/locations/{found['location']}/repositories/{found['name']}"
