"""Renovate's settings: which line of the input it may change, and which of its pull requests merge by themselves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from dify_gitops.catalogue.images import API
from dify_gitops.catalogue.releases import RELEASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_gitops.input.model import Environment

# In re2's syntax. One version for all images of Dify: the catalogue knows which belong together.
_VERSION_LINE = r"""(?:^|\n)dify:\s+["']?(?<currentValue>\d+\.\d+\.\d+)"""

_DIFY = ["custom.regex"]
_CI = ["github-actions", "cloudbuild"]
_PYTHON = ["pep621", "pip_requirements"]
_MONTHLY = ["* 0-5 1 * *"]


def renovate(environments: Mapping[str, Environment]) -> str:
    """Text of ``.github/renovate.json5``, without its header: JSON with comments between its keys."""
    versions = "|".join(re.escape(version) for version in RELEASES)
    rules = [
        # Renovate offers the newest that is allowed: an untested version would hide the tested ones before it.
        {"matchManagers": _DIFY, "allowedVersions": f"/^({versions})$/"},
        *(_environment(name, environment) for name, environment in environments.items()),
        {"matchManagers": _CI, "groupName": "continuous integration", "schedule": _MONTHLY},
        {"matchManagers": _PYTHON, "groupName": "Python packages", "schedule": _MONTHLY},
    ]
    version_line = {
        "customType": "regex",
        "managerFilePatterns": [r"/^environments/[^/]+\.yaml$/"],
        "matchStrings": [_VERSION_LINE],
        "depNameTemplate": API,
        "datasourceTemplate": "docker",
        "versioningTemplate": "semver",
    }
    settings = [
        ("", "$schema", "https://docs.renovatebot.com/renovate-schema.json"),
        ("", "extends", ["config:recommended"]),
        (
            "What people or templates hold. All else is generated: gen.py would change back what Renovate changed.",
            "enabledManagers",
            [*_DIFY, *_CI, *_PYTHON],
        ),
        (
            "The lock files of Python are not called requirements.txt.",
            "pip_requirements",
            _files(r"/^requirements.*\.lock$/"),
        ),
        (
            "regenerate.yaml commits to Renovate's branches; without this Renovate would take them for a person's.",
            "gitIgnoredAuthors",
            ["41898282+github-actions[bot]@users.noreply.github.com"],
        ),
        ("GitHub's own auto-merge waits for required checks only; Renovate waits for all.", "platformAutomerge", False),
        ("The one line that is a promotion.", "customManagers", [version_line]),
        (
            "Each environment by itself. Only versions that the generator knows; prod never without a review.",
            "packageRules",
            rules,
        ),
    ]
    return "{\n" + ",\n".join(_setting(*setting) for setting in settings) + "\n}\n"


def _environment(name: str, environment: Environment) -> dict[str, Any]:
    """A group, and so a branch, of its own; only trial environments may merge."""
    return {
        "matchManagers": _DIFY,
        "matchFileNames": [f"environments/{name}.yaml"],
        "groupName": f"Dify {name}",
        "labels": ["dify", name],
        "automerge": environment.profile == "dev",
    }


def _files(*patterns: str) -> dict[str, list[str]]:
    return {"managerFilePatterns": list(patterns)}


def _setting(why: str, key: str, value: Any) -> str:
    """One key of the file, indented, its reason above."""
    text = f"{json.dumps(key)}: {json.dumps(value, indent=2)}"
    return "\n".join(f"  {line}" for line in ([f"// {why}"] if why else []) + text.splitlines())
