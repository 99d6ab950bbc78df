"""The JSON Schema judges as the loader does, as far as a schema can; the tables name every key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it brings no types

from dify_gitops.input.decode import scalar
from dify_gitops.input.document import Document
from dify_gitops.input.model import Environment, Platform
from dify_gitops.input.nodes import LIST, MAPPING, Node
from dify_gitops.input.schema import input_tables, schemas
from dify_gitops.input.specs import Keys, MapOf, keys

ROOT = Path(__file__).parent.parent
INPUT = ROOT / "tests" / "input"
FORMS = ("key-", "type-", "format-", "bounds", "choice", "profile-", "dify-", "waiver-empty", "waiver-without")
# What a pattern cannot see, or what no schema can.
BEYOND = {
    "format-cidr-host-bits",
    "format-cron-backwards",
    "format-cron-fields",
    "format-cron-step",
    "format-domain-line-break",  # valid for Python's `$`, invalid for an editor's
    "format-git-url-with-token",
    "format-sql-tier-cores",
    "format-sql-tier-memory",
    "format-sql-tier-memory-per-core",
    "format-time-zone",
    "key-twice",
}


def plain(node: Node) -> Any:
    if node.kind == LIST:
        return [plain(item) for item in node.items]
    if node.kind == MAPPING:
        return {str(scalar(key)) if key.is_scalar else "": plain(value) for key, value in node.pairs()}
    return scalar(node)


def judge(file: Path) -> list[str]:
    kind = "platform" if file.name == "platform.yaml" else "environment"
    schema = json.loads(schemas()[f"dify_gitops/{kind}.schema.json"])
    Draft202012Validator.check_schema(schema)
    root = plain(Document(file.name, file.read_bytes()).root)
    return [error.message for error in Draft202012Validator(schema).iter_errors(root)]


RIGHT = [
    *INPUT.glob("base/*.yaml"),
    *INPUT.glob("valid/*/*.yaml"),
    *ROOT.glob("environments/*.yaml"),
    *ROOT.glob("platform.yaml"),
]


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: str(file.relative_to(ROOT)))
def test_right_files_are_valid(file: Path) -> None:
    assert judge(file) == []


WRONG = [case for case in sorted((INPUT / "invalid").iterdir()) if case.name.startswith(FORMS)]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_wrong_forms_are_invalid(case: Path) -> None:
    found = [error for file in case.glob("*.yaml") for error in judge(file)]
    assert bool(found) != (case.name in BEYOND), found


def test_the_bytes_depend_on_nothing_but_the_model() -> None:
    code = "from dify_gitops.input.schema import *; import sys; sys.stdout.write(''.join(schemas().values()))"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment, cwd=ROOT)
        assert done.stdout.decode() == "".join(schemas().values())


MAX_PROD = "interactive `6`, batch `4`, others `4`"
MAX_DEV = "interactive `2`, batch `1`, others `4`"


def every_key(spec: Keys, prefix: str = "") -> list[str]:
    found = []
    for key, field in spec.fields.items():
        found.append(prefix + key)
        if isinstance(field.spec, Keys) and prefix != "images.":
            found += every_key(field.spec, f"{prefix}{key}.")
        elif isinstance(field.spec, MapOf) and isinstance(field.spec.item, Keys):
            found += every_key(field.spec.item, f"{prefix}{key}.<name>.")
    return found


@pytest.mark.parametrize("model", [Environment, Platform])
def test_the_tables_name_every_key(model: type[Environment | Platform]) -> None:
    rows = input_tables()
    assert [key for key in every_key(keys(model)) if f"| `{key}` |" not in rows] == []


@pytest.mark.parametrize(
    "row",
    [
        "| `region` | where everything runs | Google Cloud region | **required** | **required** |",
        "| `database.tier` | machine of the instance | Cloud SQL tier | `db-custom-2-4096` | `db-custom-1-3840` |",
        f"| `worker.pools.<name>.max` | replicas at most | 1 to 100 | {MAX_PROD} | {MAX_DEV} |",
        "| `images.<each>.tag` | another tag | image tag | none | none |",
        "| `smtp.server` | host name | domain name | **required** | **required** |",
        "| `highAvailability` | survive the loss of a zone; production must | true or false | `true` | `false` |",
        "| `waivers[].reason` | why this is acceptable | text | **required** |",
    ],
)
def test_a_row_says_what_it_is_what_it_may_be_and_both_defaults(row: str) -> None:
    assert row in input_tables().splitlines()
