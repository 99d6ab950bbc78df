"""The repository in parts that are built, compared and written one after the other, so that memory stays flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.tree import Part, base, overlay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dify_gitops.input.load import Repository


def parts(repository: Repository, root: Path) -> Iterator[Part]:
    """The base, then each environment, then what is left of environments that have gone."""
    yield base(repository.platform)
    for name, environment in repository.environments.items():
        yield overlay(name, environment, repository.platform)
    overlays = root / "overlays"
    folders = sorted(path.name for path in overlays.iterdir() if path.is_dir()) if overlays.is_dir() else []
    if gone := [f"overlays/{name}" for name in folders if name not in repository.environments]:
        yield Part(gone, {})
