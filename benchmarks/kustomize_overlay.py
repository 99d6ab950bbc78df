"""kustomize on an overlay, against kustomize on the very objects that come out of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from measure import Row, copy_input, generate_fresh, ratio, seconds

from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = 31
_LIST = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- objects.yaml\n"


def rows(folder: Path) -> list[Row]:
    """Measures every environment of this repository."""
    copy_input(folder)
    generate_fresh(folder)
    return [_row(folder, overlay) for overlay in sorted((folder / "overlays").iterdir())]


def _build(source: Path, out: str | Path = os.devnull) -> float:
    # On one processor: what Go's garbage collector does meanwhile on others would depend on the machine.
    return seconds([tool("kustomize"), "build", source], source, out, {"GOMAXPROCS": "1"})


def _row(folder: Path, overlay: Path) -> Row:
    flat = folder / "flat" / overlay.name
    flat.mkdir(parents=True)
    (flat / "kustomization.yaml").write_text(_LIST, encoding="utf-8")
    objects, again = flat / "objects.yaml", flat / "again.yaml"
    _build(overlay, objects)
    _build(flat, again)
    if objects.read_bytes() != again.read_bytes():
        raise AssertionError(f"{overlay.name}: the list of objects does not build to itself")
    measured = ratio(lambda: _build(overlay), lambda: _build(flat), PAIRS)
    return Row(f"kustomize build overlays/{overlay.name} / the same objects as one list", measured, 1.5)
