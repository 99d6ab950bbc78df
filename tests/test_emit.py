"""What `emit` writes is read back unchanged, by PyYAML and by kustomize, and looks the way people review it."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from nasty import GROUPS, KEYS, LONG, REFUSED, TEXTS

from dify_gitops import emit as emitter
from dify_gitops.emit import Flow, Note, emit
from dify_gitops.process import ToolError, run
from dify_gitops.toolchain import tool

# Everything that can be written, and often: what is made of the characters that YAML looks at.
WRITABLE = st.characters(
    exclude_categories=("Cs", "Cc"), include_characters="\t\n\r", exclude_characters="\ufffe\uffff"
)
PROSE = st.text(WRITABLE, max_size=60)
SYNTAX = st.text(st.sampled_from("yYnN0123456789eExXob._+-:#,[]{}&*!|>'\"%@`~?= \t\n\\a"), max_size=12)
ANY_TEXT = PROSE | SYNTAX

LEAVES = ANY_TEXT | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
FLOWS = st.lists(LEAVES, max_size=4).map(Flow)
NOTES = st.sampled_from(["why", "longer than what fits behind the value, " * 4, "# two\nlines", "a: 'b' \u2028- c"])

JSON_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# go-yaml writes such text as a block that it cannot read: kustomize fails as soon as it must write it anew.
UNWRITABLE_BY_GO = re.compile(r"\t.*\n", re.DOTALL)


def _grow(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    noted = st.builds(Note, values, NOTES)
    parts = values | noted
    return st.lists(parts, max_size=4) | st.dictionaries(ANY_TEXT.filter("<<".__ne__), parts, max_size=4)


TREES = st.recursive(LEAVES | FLOWS, _grow, max_leaves=20)

by_group = pytest.mark.parametrize("texts", [*GROUPS.values(), LONG], ids=[*GROUPS, "long"])


def read(text: str) -> Any:
    """What PyYAML, a YAML 1.1 reader, makes of it."""
    return yaml.load(text, yaml.CSafeLoader)


def plain(value: Any) -> Any:
    """The value without what is for people only."""
    if isinstance(value, Note):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def kustomize(folder: Path, objects: list[dict[str, Any]], *, typed: bool) -> list[dict[str, Any]]:
    """The objects as kustomize gives them back. ``typed``: a JSON patch makes it read every scalar's type."""
    kustomization: dict[str, Any] = {"resources": ["objects.yaml"]}
    if typed:
        operation = {"op": "add", "path": "/metadata/labels", "value": {"seen": "by-json"}}
        kustomization["patches"] = [{"patch": emit([operation]), "target": {"version": "v1"}}]
    folder.mkdir(exist_ok=True)
    (folder / "objects.yaml").write_text("---\n".join(map(emit, objects)), encoding="utf-8", newline="")
    (folder / "kustomization.yaml").write_text(emit(kustomization), encoding="utf-8")
    built = run([tool("kustomize"), "build", folder]).stdout
    if typed:
        assert built.count("seen: by-json") == len(objects)
    for node in yaml.compose_all(built, yaml.CBaseLoader):
        for scalar in _scalars(node):
            assert scalar.style or not _is_no_text(scalar.value), f"kustomize read no text: {scalar.value}"
    # Types are judged above. This loader takes everything for text: PyYAML's rules are not those of kustomize.
    return list(yaml.load_all(built, yaml.CBaseLoader))


def _is_no_text(word: str) -> bool:
    """Would Go read this word, unquoted, as something else? Numbers that are too large for it stay text."""
    if word in {"true", "false", "null", "~", ""}:
        return True
    return bool(JSON_NUMBER.fullmatch(word)) and math.isfinite(float(word))


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for child in pair:
                yield from _scalars(child)
    else:
        for child in node.value:
            yield from _scalars(child)


def config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def everywhere(texts: list[str], keys: list[str]) -> list[dict[str, Any]]:
    """Objects that hold the texts in every place where ``emit`` writes text."""
    numbered = {f"t{number}": text for number, text in enumerate(texts)}
    spec = {
        "list": texts,
        "flow": Flow(texts),
        "deep": [{"inner": [key, [key], {key: Flow([key])}]} for key in keys],
        "noted": {name: Note(text, "why") for name, text in numbered.items()},
        "explained": [Note({"a": Note(text, "words " * 30), "b": text}, "why") for text in texts],
        "lines": [f"x{text}\n{text}x\n" for text in texts],
    }
    return [
        config_map("values", numbered),
        config_map("keys", dict(zip(keys, numbered, strict=False))),
        {"apiVersion": "v1", "kind": "Texts", "metadata": {"name": "texts"}, "spec": spec},
    ]


def test_corpus_is_large() -> None:
    assert len(TEXTS) >= 220
    assert all(GROUPS.values())


@by_group
def test_text_survives_alone_and_nested(texts: list[str]) -> None:
    for text in texts:
        for value in (
            text,
            [text],
            {"key": text},
            {"a": {"b": {"c": text}}, "d": text},
            [[text, [text]], text],
            [{"a": text, "b": [text]}, text],
            Flow([text, text]),
            {"key": Flow([text])},
        ):
            assert read(emit(value)) == value


@by_group
def test_text_survives_as_key(texts: list[str]) -> None:
    for text in (text for text in texts if text in KEYS):
        for value in (
            {text: "value"},
            {text: text, "next": 1},
            {text: {text: [text]}},
            [{text: "value"}, {text: []}],
            {text: "two\nlines\n"},
            {text: Flow([text])},
        ):
            assert read(emit(value)) == value


@by_group
def test_text_survives_beside_comments(texts: list[str]) -> None:
    for text in texts:
        for note in ("why", "a comment that needs a line of its own " * 4):
            for value in (
                {"key": Note(text, note), "next": text},
                [Note(text, note), Note(text, note)],
                # A comment between two items must not become part of the text before it.
                [text, {"key": Note(text, note)}, [Note(text, note)], Note({"key": text}, note)],
                {"key": [text, Note([[Note(text, note)]], note)]},
                {"key": Note(Flow([text]), note)},
            ):
                assert read(emit(value)) == plain(value)


@by_group
def test_text_survives_in_literal_blocks(texts: list[str]) -> None:
    for text in texts:
        for block in (f"first\n{text}", f"first\n{text}\n", f"{text}\nlast", f"{text}\nlast\n", f"a\n{text}\nb\n"):
            value = {"key": block, "list": [block, {"inner": block}, block], "next": "1"}
            assert read(emit(value)) == value


@pytest.mark.parametrize("typed", [False, True], ids=["as text", "as types"])
def test_corpus_survives_kustomize(tmp_path: Path, *, typed: bool) -> None:
    texts, keys = [*TEXTS, *LONG], KEYS
    if typed:
        texts, keys = ([text for text in part if not UNWRITABLE_BY_GO.match(text)] for part in (texts, keys))
    objects = everywhere(texts, keys)
    got = {one["metadata"]["name"]: one for one in kustomize(tmp_path, objects, typed=typed)}
    for wanted in objects:
        name = wanted["metadata"]["name"]
        part = "data" if "data" in wanted else "spec"
        assert got[name][part] == plain(wanted[part])


def test_only_a_patch_makes_kustomize_fail_at_lines_after_a_tab(tmp_path: Path) -> None:
    data = {"key": "\ta\nb"}
    (built,) = kustomize(tmp_path, [config_map("tab", data)], typed=False)
    assert built["data"] == data
    with pytest.raises(ToolError, match="tab character"):  # loud, and none of our doing
        kustomize(tmp_path, [config_map("tab", data)], typed=True)


def test_merge_key_is_refused_because_kustomize_drops_it(tmp_path: Path) -> None:
    emit(["<<", {"key": "<<"}])
    with pytest.raises(ValueError, match="'<<' cannot be a key"):
        emit({"<<": "value"})
    (tmp_path / "kustomization.yaml").write_text("resources: [it.yaml]", encoding="utf-8")
    (tmp_path / "it.yaml").write_text(
        "{kind: A, apiVersion: v1, metadata: {name: a}, data: {'<<': lost}}", encoding="utf-8"
    )
    assert "lost" not in run([tool("kustomize"), "build", tmp_path]).stdout


@given(TREES)
def test_whatever_can_be_written_is_read_back(value: Any) -> None:
    assert read(emit(value)) == plain(value)


@settings(deadline=None, max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(ANY_TEXT, min_size=40, max_size=200, unique=True))
def test_any_text_survives_kustomize(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    numbered = {f"t{number}": text for number, text in enumerate(texts) if not UNWRITABLE_BY_GO.match(text)}
    keys = {text: key for key, text in numbered.items() if text != "<<"}
    objects = [config_map("values", numbered), config_map("keys", keys)]
    built = kustomize(tmp_path_factory.mktemp("any"), objects, typed=True)
    assert {one["metadata"]["name"]: one["data"] for one in built} == {
        one["metadata"]["name"]: one["data"] for one in objects
    }


def test_control_characters_are_refused() -> None:
    for text in REFUSED:
        block = f"a\n{text}\n"
        for value in (text, {"key": text}, {text: "value"}, [text], Flow([text]), {"key": Note(block, "why")}):
            with pytest.raises(ValueError, match=r"control character U\+[0-9A-F]{4} cannot be written to YAML"):
                emit(value)


def test_control_characters_are_refused_in_comments() -> None:
    with pytest.raises(ValueError, match=r"U\+0007"):
        emit({"key": Note("value", "ding \x07")})


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        ("a",),
        {"a"},
        dt.date(2001, 1, 1),
        object(),
        complex(1, 2),
        Path("a"),
        type("Text", (str,), {})("a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_types_are_refused(value: Any) -> None:
    for whole in (value, {"key": value}, [value], Flow([value]), {"key": Note(value, "why")}):
        with pytest.raises(TypeError, match=rf"{type(value).__name__} cannot be written to YAML"):
            emit(whole)


@pytest.mark.parametrize("value", [[1], {"a": 1}, Note(1, "why")], ids=["list", "dict", "Note"])
def test_flow_lists_hold_scalars_only(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be written to YAML"):
        emit(Flow([value]))


@pytest.mark.parametrize("key", [1, None, True, 1.5, b"a", ("a",)], ids=ascii)
def test_keys_must_be_text(key: Any) -> None:
    with pytest.raises(TypeError):
        emit({key: "value"})


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_lacks_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="cannot be written to YAML"):
        emit({"key": number})


@pytest.mark.parametrize("number", [0.5, -0.0, 1e22, 1e-7, -2.5e300, 10**30, -1, 0], ids=str)
def test_numbers_stay_numbers(number: float) -> None:
    back = read(emit({"key": number}))["key"]
    assert back == number
    assert type(back) is type(number)


@pytest.mark.parametrize(
    "key", ["a" * 1001, "é" * 1000, "'" * 600, "a\n" * 400], ids=["plain", "unicode", "quotes", "lines"]
)
def test_keys_end_before_the_limit_of_yaml(key: str) -> None:
    emit({"value": key, "list": [key]})  # as a value it is fine, and known from now on
    with pytest.raises(ValueError, match="key too long for YAML"):
        emit({key: "value"})
    assert read(emit({key[:300]: "value"})) == {key[:300]: "value"}


def test_longest_key_is_readable(tmp_path: Path) -> None:
    key = "a" * 1000
    data = {key: "value"}
    assert read(emit(data)) == data
    (built,) = kustomize(tmp_path, [config_map("long", data)], typed=True)
    assert built["data"] == data


def test_text_is_remembered_within_bounds() -> None:
    for number in range(5):
        emit([f"host-{number}-{index}.example" for index in range(3000)])
        emit([f"{number}{index}" * 400 for index in range(100)])
    assert len(emitter._cache) <= 5000
    assert sum(map(len, emitter._cache)) <= 1_000_000


def test_same_text_whatever_was_written_before() -> None:
    objects = everywhere([*TEXTS, *LONG], KEYS)
    emitter._cache.clear()
    first = emit(objects)
    shuffled = [*TEXTS, *LONG]
    random.Random(0).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    emitter._cache.clear()
    emit(shuffled)
    assert emit(objects) == first
    assert emit(objects) == first


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1.14.2",
            "500m",
            "1.5Gi",
            "v1",
            "apps/v1",
            "10.0.0.0/16",
            "10.0.0.1",
            "1.2.3.4:80",
            "http://a.example:80/b?c=d",
        ),
        *(
            "--config=/a/b",
            "-f",
            "api",
            "nginx:1.28.0-alpine",
            "a b, c",
            "/healthz",
            "a$(NAME)",
            "Prune=false,Delete=false",
        ),
        *("*.example"[2:], "a-b_c.d", "30d", "1h30m", "a@b.example", "100%", "./a", "it(s)", "GET /a"),
    ],
)
def test_harmless_text_stays_plain(text: str) -> None:
    assert emit({"key": text}) == f"key: {text}\n"
    assert emit([text]) == f"- {text}\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("y", "'y'"),
        ("1e3", "'1e3'"),
        ("25921e05", "'25921e05'"),
        ("08", "'08'"),
        ("12:30", "'12:30'"),
        ("", "''"),
        ("it's", "'it''s'"),
        ("a\tb", '"a\\tb"'),
        ("a\u2028b\ufeff", '"a\\Lb\\uFEFF"'),
        ("日本 😀", "'日本 😀'"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\n\nb", "|-\n  a\n\n  b"),
        ("\na", '"\\na"'),
        ("a\nb ", '"a\\nb "'),
    ],
)
def test_text_is_quoted_as_people_expect(text: str, written: str) -> None:
    assert emit({"key": text}) == f"key: {written}\n"


def test_words_that_only_some_readers_type_are_quoted() -> None:
    for text in (*GROUPS["booleans"], "0_x1F", "1e_+3", "0o17", "08", "1:60", "2001-1-1", "25921e05"):
        assert emit([text]) == f"- '{text}'\n"


def test_layout() -> None:
    document: dict[str, Any] = {
        "kind": "Deployment",
        "empty": {},
        "nothing": [],
        "none": None,
        "spec": {
            "replicas": Note(2, "one per zone"),
            "drop": Flow(["ALL", "a b", 1, None, True, "x,y"]),
            "containers": [
                {"name": "api", "ports": [{"port": 80}, {"port": 443}], "args": ["-f", "y"]},
                {"name": "web", "probe": Note({"path": "/"}, "a mapping has its comment above")},
            ],
            "matrix": [[1, [2]], [], {}, [[3]]],
            "script": Note("set -e\n\nrun\n", "a block too"),
        },
    }
    assert emit(document) == LAYOUT


LAYOUT = """\
kind: Deployment
empty: {}
nothing: []
none: null
spec:
  replicas: 2  # one per zone
  drop: [ALL, 'a b', 1, null, true, 'x,y']
  containers:
  - name: api
    ports:
    - port: 80
    - port: 443
    args:
    - -f
    - 'y'
  - name: web
    # a mapping has its comment above
    probe:
      path: /
  matrix:
  - - 1
    - - 2
  - []
  - {}
  - - - 3
  # a block too
  script: |
    set -e

    run
"""


def test_comment_goes_above_where_the_line_would_be_long() -> None:
    words = "because the reason is long and has its own story " * 3
    text = emit({"list": [{"key": Note("value", words)}, Note("item", words), [Note(1, "short")], Note([2], "short")]})
    above = (
        "# because the reason is long and has its own story because the reason is long and has its own story because\n"
        "# the reason is long and has its own story\n"
    )
    assert text == f"list:\n{above}- key: value\n{above}- item\n- - 1  # short\n# short\n- - 2\n"


def test_comment_keeps_addresses_whole() -> None:
    address = f"https://example.com/{'very-long-' * 12}path"
    assert emit({"a": Note(1, f"see {address}")}) == f"# see\n# {address}\na: 1\n"
