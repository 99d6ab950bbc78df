"""What the rules know about Dify's processes: which containers run the api's image, and as what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue import images
from dify_gitops.rules.access import text
from dify_gitops.rules.environment import value, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Container, Pod

# repository, tag, digest: https://github.com/distribution/reference
_IMAGE = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]*))?(?:@(?P<digest>.*))?")


class Process(NamedTuple):
    """A container of the api's image and what the entrypoint starts in it: api, worker, beat or job."""

    pod: Pod
    container: Container
    mode: str


def image_parts(reference: str) -> tuple[str, str, str]:
    """``registry:5000/name:tag@digest`` → (repository, tag, digest); what is absent is empty."""
    found = _IMAGE.fullmatch(reference)
    return (found["name"], found["tag"] or "", found["digest"] or "") if found else (reference, "", "")


def image_name(container: Container) -> str:
    """Last part of the repository of a container's image: it stays the same behind a mirror."""
    return image_parts(text(container.data, "image"))[0].rpartition("/")[2]


def api_processes(cluster: Cluster) -> Iterator[Process]:
    """Containers of the api's image: under its own name, a mirror's, or the one that the api pods use."""
    own = images.API.rpartition("/")[2]
    renamed = {
        image_parts(text(container.data, "image"))[0]
        for pod in cluster.pods
        if pod.labels.get(names.NAME) == "api"
        for container in pod.containers
        if value(cluster, pod, container, "MODE") == "api"
    }
    for pod in cluster.pods:
        for container in pod.containers:
            repository = image_parts(text(container.data, "image"))[0]
            if repository in renamed or repository.rpartition("/")[2] == own:
                yield Process(pod, container, _mode(cluster, pod, container))


def _mode(cluster: Cluster, pod: Pod, container: Container) -> str:
    """The variable MODE, unless the command starts Celery itself: beat's must, to move its schedule file."""
    spoken = words(container)
    if "celery" in spoken:
        return next((word for word in ("beat", "worker") if word in spoken), "job")
    return value(cluster, pod, container, "MODE")
