"""The repository in parts that are built, compared and written one after the other, so that memory stays flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.tree import Part, argocd, base, bootstrap, google, overlay, pull_requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_gitops.errors import Finding
    from dify_gitops.input.load import Repository
    from dify_gitops.tree import Tree


OVERLAYS = "overlays"
GOOGLE = "config-connector"
ARGOCD = "argocd"
BOOTSTRAP = "bootstrap"
PER_ENVIRONMENT = (OVERLAYS, GOOGLE, ARGOCD, BOOTSTRAP)  # folders that hold one folder for each environment


def parts(repository: Repository, root: Path) -> Iterator[Part]:
    """The base, each environment's folders, what guards pull requests, what is left of environments that have gone."""
    platform = repository.platform
    shared = base(platform)
    yield shared
    for name, environment in repository.environments.items():
        workloads = overlay(name, environment, platform)
        yield workloads
        infra = google(name, environment, platform)
        yield infra
        yield argocd(name, environment, platform, [*shared.objects, *workloads.objects], infra.objects)
        yield bootstrap(name, environment, platform)
    yield pull_requests(platform, repository.environments, PER_ENVIRONMENT)
    folders = [f"{above}/{path.name}" for above in PER_ENVIRONMENT for path in _folders(root / above)]
    if gone := [folder for folder in folders if folder.partition("/")[2] not in repository.environments]:
        yield Part(gone, {})


def refused_changes(before: dict[str, bytes], tree: Tree) -> list[Finding]:
    """What Config Connector will not do although the files say it: ``before`` holds what stood in changed files."""
    changed = [path for path in before if path.startswith(f"{GOOGLE}/")]
    if not changed:
        return []
    from dify_gitops.rendered import Unreadable, read
    from dify_gitops.rules.google.immutable import immutable_changes, not_compared

    found: list[Finding] = []
    for path in changed:
        try:
            found += immutable_changes(read(before[path].decode(errors="replace")), read(tree[path]), path)
        except Unreadable:  # the marks of a merge, for example
            found.append(not_compared(path))
    return found


def _folders(above: Path) -> list[Path]:
    return sorted(path for path in above.iterdir() if path.is_dir()) if above.is_dir() else []
