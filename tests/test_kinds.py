"""Facts about custom kinds: complete, without prose, exactly as the converter writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

from dify_gitops.kinds import FOLDER, all_kinds, facts
from tools.crd_to_kinds import (
    PROSE,
    ConversionError,
    facts_of,
    from_crd,
    main,
    read_folder,
    readme,
    render,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CRD = Path(__file__).with_name("kinds") / "trap-crd.yaml"
KINDS = list(all_kinds())
ALL_FACTS = [known for kind in KINDS if (known := facts(*kind))]


def crd() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(CRD.read_text())
    return document


def prose_in(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the keywords of `schema` that carry prose; the names of properties are no keywords."""
    yield from PROSE.intersection(schema)
    for rule in schema.get("x-kubernetes-validations", ()):
        yield from {"message", "messageExpression"}.intersection(rule)
    children = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("not")]
    children += [schema.get("additionalProperties")]
    children += [branch for word in ("allOf", "anyOf", "oneOf") for branch in schema.get(word, ())]
    for child in children:
        if isinstance(child, dict):
            yield from prose_in(child)


# --- the converter


def test_served_versions_keep_everything_but_prose() -> None:
    (trap,) = from_crd(crd(), "traps v1.2.3")
    assert msgspec.structs.asdict(trap) | {"schema": None} == {
        "group": "example.com",
        "version": "v1",
        "kind": "Trap",
        "plural": "traps",
        "scope": "Namespaced",
        "origin": "traps v1.2.3",
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
        },
        "schema": None,
    }
    expected = yaml.safe_load(CRD.read_text())["spec"]["versions"][1]["schema"]["openAPIV3Schema"]
    del expected["description"], expected["properties"]["apiVersion"]["description"]
    spec = expected["properties"]["spec"]
    del spec["x-kubernetes-validations"][0]["message"]
    fields = spec["properties"]
    del fields["properties"]["description"], fields["properties"]["properties"]["description"]["title"]
    del fields["items"]["items"]["properties"]["name"]["example"]
    assert trap.schema == expected
    assert "Prose" not in render(trap)


def test_each_served_version_has_its_own_facts_and_one_is_stored() -> None:
    document = crd()
    document["spec"]["versions"][0]["served"] = True
    assert [(trap.version, trap.storage) for trap in from_crd(document, "traps v1")] == [
        ("v1beta1", False),
        ("v1", True),
    ]


def test_order_of_keys_in_the_source_does_not_matter() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    (trap,) = from_crd(crd(), "traps v1")
    (other,) = from_crd(turned(crd()), "traps v1")
    assert list(trap.schema) != list(other.schema)
    assert render(trap) == render(other)


def test_prose_finder_finds_prose() -> None:
    schema = crd()["spec"]["versions"][1]["schema"]["openAPIV3Schema"]
    assert sorted(prose_in(schema)) == ["description"] * 3 + ["example", "message", "title"]


@pytest.mark.parametrize("pattern", [r"^(?!kube-)", r"^(?=.*[0-9])", r"(?<=a)b", r"(?<!a)b", r"(a)\1"])
def test_patterns_that_kubeconform_cannot_compile_are_refused(pattern: str) -> None:
    with pytest.raises(ConversionError, match=r"^trap\.properties\.name\.pattern: look-around or"):
        facts_of({"type": "object", "properties": {"name": {"type": "string", "pattern": pattern}}}, "trap")


@pytest.mark.parametrize("pattern", [r"a\(?=b", r"[(?=]", r"[]\1(?!]", r"(?:a|b)?", r"(?i)x", r"\d\\"])
def test_patterns_that_only_look_like_it_pass(pattern: str) -> None:
    assert facts_of({"pattern": pattern}, "trap") == {"pattern": pattern}


@pytest.mark.parametrize("keyword", ["patternProperties", "$ref", "x-kubernetes-something-new", "dependencies"])
def test_unknown_keyword_is_refused_with_its_place(keyword: str) -> None:
    document = crd()
    document["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["items"] = {keyword: {}}
    with pytest.raises(ConversionError) as caught:
        list(from_crd(document, "traps v1"))
    assert str(caught.value) == (
        f"traps.example.com/v1.properties.spec.items.{keyword}: unknown keyword; teach it to this program"
    )


def test_conversion_replaces_what_the_project_had_and_nothing_else(tmp_path: Path) -> None:
    source, target = tmp_path / "traps-v2.0.0", tmp_path / "kinds"
    source.mkdir()
    (source / "traps.yaml").write_text(CRD.read_text())
    (trap,) = read_folder(source)
    assert trap.origin == "traps v2.0.0"
    gone = msgspec.structs.replace(trap, kind="Gone", origin="traps v1.0.0")
    other = msgspec.structs.replace(trap, kind="Other", origin="others v1.0.0")
    write([gone, other], target)
    write([trap], target)
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*.*") if path.is_file())
    assert files == ["README.md", "example.com/Other_v1.json", "example.com/Trap_v1.json"]
    assert (target / "README.md").read_text().endswith("| others v1.0.0 | Other |\n| traps v2.0.0 | Trap |\n")


def test_folder_without_definitions_or_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty-v1.0.0"
    nameless = tmp_path / "nameless"
    unknown = tmp_path / "unknown-v1.0.0"
    for folder, name in ((empty, "notes.txt"), (nameless, "traps.yaml"), (unknown, "trap_v1.json")):
        folder.mkdir()
        (folder / name).write_text(CRD.read_text())
    assert [main([str(folder)]) for folder in (empty, nameless, unknown)] == [1, 1, 1]
    messages = capsys.readouterr().err.splitlines()
    assert messages == [
        f"{empty}: no CustomResourceDefinition in here",
        f"{nameless}: the name must read <project>-v<version>",
        f"{unknown / 'trap_v1.json'}: group, kind and plural unknown; add the file to JSON_SCHEMAS",
    ]


# --- the committed facts


def test_committed_facts_are_exactly_what_the_converter_writes() -> None:
    files = sorted(FOLDER.glob("*/*.json"))
    assert len(files) == len(ALL_FACTS) > 100
    for path, known in zip(files, ALL_FACTS, strict=True):
        assert path == FOLDER / known.group / f"{known.kind}_{known.version}.json"
        assert path.read_text(encoding="utf-8") == render(known), path
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == readme(ALL_FACTS)


def test_committed_facts_hold_no_prose_and_no_path() -> None:
    for known in ALL_FACTS:
        assert not set(prose_in(known.schema)), known.kind
        assert "/" not in known.origin


def test_facts_are_found_by_what_a_manifest_says() -> None:
    found = facts("keda.sh/v1alpha1", "ScaledObject")
    assert found is not None
    assert (found.api_version, found.plural, found.scope) == (
        "keda.sh/v1alpha1",
        "scaledobjects",
        "Namespaced",
    )
    assert list(found.subresources) == ["status"]
    assert facts("apps/v1", "Deployment") is None
    assert facts("v1", "Pod") is None
    assert facts("keda.sh/v1", "ScaledObject") is None


def test_one_stored_version_per_kind() -> None:
    stored = [(known.group, known.kind) for known in ALL_FACTS if known.storage]
    assert sorted(stored) == sorted({(known.group, known.kind) for known in ALL_FACTS})
