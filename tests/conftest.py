"""Both committed environments, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from repo import Cluster, build, make

# The same examples in every run, and no complaint about a slow machine.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")


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
