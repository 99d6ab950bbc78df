"""Rules over images: what runs tomorrow is what was tested today."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.rules.access import text
from dify_gitops.rules.dify import image_parts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Tags that are moved on purpose: Ubuntu's end in _edge, and a major number alone follows every minor version.
_MOVING = re.compile(r"latest|stable|edge|main|master|nightly|dev|.*_edge|v?\d{1,3}(-[a-z]+)?")


@rule(
    "image-pinned",
    why="an image without version changes under its name: two pods of one Deployment run different programs",
    remedy="name a version as tag, or sha256: and 64 hexadecimal digits as digest",
)
def image_pinned(cluster: Cluster) -> Iterator[Flaw]:
    """Every image has a whole digest, or a tag that does not move."""
    for pod in cluster.pods:
        for container in pod.containers:
            image = text(container.data, "image")
            _, tag, digest = image_parts(image)
            message = ""
            if digest and not _DIGEST.fullmatch(digest):
                message = f"{image!r} has a malformed digest"
            elif not digest and not tag:
                message = f"{image!r} has neither tag nor digest"
            elif not digest and _MOVING.fullmatch(tag):
                message = f"{image!r} has a tag that moves"
            if message:
                yield Flaw(pod.owner, f"{container.path}.image", message)
