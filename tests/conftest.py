"""Both committed environments, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest
from repo import Cluster, build, make


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated repository with the default dev and prod. Tests that change it make their own."""
    return make(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def prod(tree: Path) -> Cluster:
    return Cluster(build(tree, "overlays/prod"))


@pytest.fixture(scope="session")
def dev(tree: Path) -> Cluster:
    return Cluster(build(tree, "overlays/dev"))
