"""The repository in parts that are built, compared and written one after the other, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from dify_gitops.input.load import Repository
from dify_gitops.tree import Tree, base_tree, environment_tree, seed_tree


class Part(msgspec.Struct):
    """Some folders and everything of ours in them."""

    folders: list[str]
    tree: Tree
    seeds: Tree = {}


def parts(repository: Repository, root: Path) -> Iterator[Part]:
    """The base, then each environment, then what is left of environments that have gone."""
    yield Part(["base"], base_tree(repository.platform))
    for name, environment in repository.environments.items():
        tree = environment_tree(name, environment, repository.platform)
        yield Part([f"overlays/{name}"], tree, seed_tree(name))
    overlays = root / "overlays"
    known = repository.environments
    gone = sorted(path.name for path in overlays.iterdir() if path.is_dir() and path.name not in known) if overlays.is_dir() else []
    if gone:
        yield Part([f"overlays/{name}" for name in gone], {})
