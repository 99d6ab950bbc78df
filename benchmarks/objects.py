"""The objects of the generated repository, as plain data."""

from __future__ import annotations

from typing import Any

import yaml
from measure import ROOT

from dify_gitops.input.load import load_repository
from dify_gitops.repository import parts


def generated_objects() -> list[list[dict[str, Any]]]:
    """Objects of this repository's input, one inner list per file; neither kustomizations nor patches."""
    texts = [
        text
        for part in parts(load_repository(ROOT), ROOT)
        if part.objects
        for path, text in part.tree.items()
        if path.endswith(".yaml") and "/patches/" not in path and not path.endswith("/kustomization.yaml")
    ]
    return [list(yaml.load_all(text, yaml.CSafeLoader)) for text in texts]
