"""kustomize on an overlay, against kustomize on the very objects that come out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measure import Row, copy_input, generate_fresh, ratio, seconds

from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = 21
_LIST = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- objects.yaml\n"


def rows(folder: Path) -> list[Row]:
    """Measures every environment of this repository."""
    copy_input(folder)
    generate_fresh(folder)
    return [_row(folder, overlay) for overlay in sorted((folder / "overlays").iterdir())]


def _row(folder: Path, overlay: Path) -> Row:
    build: list[str | Path] = [tool("kustomize"), "build"]
    flat = folder / "flat" / overlay.name
    flat.mkdir(parents=True)
    (flat / "kustomization.yaml").write_text(_LIST, encoding="utf-8")
    objects = flat / "objects.yaml"
    seconds([*build, overlay], folder, objects)
    again = flat / "again.yaml"
    seconds([*build, flat], folder, again)
    if objects.read_bytes() != again.read_bytes():
        raise AssertionError(f"{overlay.name}: the list of objects does not build to itself")
    measured = ratio(lambda: seconds([*build, overlay], folder), lambda: seconds([*build, flat], folder), PAIRS)
    return Row(f"kustomize build overlays/{overlay.name} / the same objects as one list", measured, 1.5)
