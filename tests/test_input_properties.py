"""Whatever stands in a file: it is taken as it is or refused in words, never a traceback, never another value."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dify_gitops.catalogue.secrets import PUBLISHED_ANYWHERE, PUBLISHED_WHOLE
from dify_gitops.errors import InputError, Problem
from dify_gitops.input.load import load_repository

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment, Platform

INPUT = Path(__file__).parent / "input"
EVERYTHING = (INPUT / "valid" / "all-keys" / "prod.yaml").read_text()
PLATFORM = (INPUT / "base" / "platform.yaml").read_text()
REQUIRED = "project: acme-dify-prod\nregion: asia-northeast1\ndomain: dify.acme.example\n"

# The same cases in every run; a new seed is worth a run now and then.
settings.register_profile("input", derandomize=True, deadline=None, database=None, max_examples=200)
settings.load_profile("input")

# What YAML is made of, more often than letters.
YAMLISH = st.text(st.sampled_from("abc01.-: \n\t#&*!|>'\"%@`{}[],?~<=\\\r\x85\u2028é日🙂\ufeff\x00"), max_size=80)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    (folder / "environments").mkdir()
    return folder


def read(root: Path, prod: bytes, platform: str = PLATFORM) -> tuple[Platform, Environment] | list[Problem]:
    (root / "platform.yaml").write_text(platform)
    (root / "environments" / "prod.yaml").write_bytes(prod)
    try:
        repository = load_repository(root)
    except InputError as error:
        judge(error.problems)
        return error.problems
    return repository.platform, repository.environments["prod"]


def judge(problems: list[Problem]) -> None:
    """Sorted, at places that exist, and nothing in them that a terminal would obey."""
    assert problems
    assert problems == sorted(problems)
    for problem in problems:
        assert min(problem.line, problem.column) >= 1
        lines = str(problem).replace("\t", " ").split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) in (1, 3)
        assert all(len(line) < 400 for line in lines)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(root: Path, data: bytes) -> None:
    assert isinstance(read(root, data), list)


@given(text=YAMLISH)
@example(text="\u2028")
@example(text="? ? ?\n:")
@example(text="- - -\t- \n")
@example(text="!!binary |\n  a")
@example(text="&a [*a]")
@example(text="a: 'b\n\tc'")
@example(text='"\\ud800": 1')
@example(text="%TAG ! x\n---\na")
def test_any_yaml_is_refused_in_words(root: Path, text: str) -> None:
    assert isinstance(read(root, text.encode(errors="surrogatepass")), list)


@given(place=st.integers(0, len(EVERYTHING)), length=st.integers(0, 12), text=YAMLISH)
def test_a_damaged_file_is_read_or_refused_in_words(root: Path, place: int, length: int, text: str) -> None:
    read(root, (EVERYTHING[:place] + text + EVERYTHING[place + length :]).encode())


@given(
    line=st.integers(0, EVERYTHING.count("\n")),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_any_value_of_any_key_is_read_or_refused_in_words(root: Path, line: int, value: object) -> None:
    lines = EVERYTHING.splitlines()
    key = re.match(r" *[A-Za-z]+:", lines[min(line, len(lines) - 1)])
    assume(key)
    assert key
    lines[min(line, len(lines) - 1)] = f"{key[0]} {json.dumps(value, ensure_ascii=False)}"
    read(root, "\n".join(lines).encode(errors="surrogatepass"))


ONE_LINE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)
NASTY = [
    "y", "Y", "yes", "no", "NO", "on", "off", "true", "True", "false", "null", "Null", "~", "", " ", "  a", "a  ",
    "0", "-0", "00", "010", "08", "0o17", "0x1f", "0b1", "1e3", "1E3", "1.", ".5", "1.0", "1_000", "+1", "-1", ".inf",
    "-.INF", ".nan", "12:30", "1:2:3", "2024-01-31", "2024-01-31T10:00:00Z", "=", "<<", "!x", "!!str a", "&a", "*a",
    "%a", "@a", "`a", "#a", "a #b", "a: b", "a:", ":a", "- a", "-", "? a", "?", "|", ">", "'", '"', "''", '""', "\\",
    "\\n", "{", "}", "[", "]", "{a: b}", "[a]", ",", "a,b", "---", "...", "$(A)", "${A}", "$$", "a=b", "日本語", "🙂",
    "\u00a0", "\u00e9", "e\u0301", "\ufffd", "\u200b", "25921e05", "1.14.2", "500m", "0.1.2", "1,5", "é" * 40,
]  # fmt: skip


@given(value=ONE_LINE)
@pytest.mark.parametrize("quote", ["json", "single"])
def test_text_comes_through_unchanged(root: Path, quote: str, value: str) -> None:
    # The library makes texts of constants that it finds in the code, and these are refused on purpose.
    assume(not any(sample in value for sample in ("\ufeff", *PUBLISHED_ANYWHERE, *PUBLISHED_WHOLE)))
    unchanged(root, quote, value)


@pytest.mark.parametrize("quote", ["json", "single"])
@pytest.mark.parametrize("value", NASTY)
def test_nasty_text_comes_through_unchanged(root: Path, quote: str, value: str) -> None:
    unchanged(root, quote, value)


def unchanged(root: Path, quote: str, value: str) -> None:
    quoted = json.dumps(value, ensure_ascii=False) if quote == "json" else "'" + value.replace("'", "''") + "'"
    result = read(root, f"{REQUIRED}variables: {{web: {{BANNER: {quoted}}}}}\n".encode())
    assert isinstance(result, tuple), "\n".join(map(str, result))
    assert result[1].variables.web == {"BANNER": value}


KEYS = ["y", "Y", "n", "NO", "on", "Off", "yes", "null", "true", "False", "_", "e3", "x0", "nan", "inf", "TIME_12"]


@pytest.mark.parametrize("key", KEYS)
def test_keys_come_through_unchanged(root: Path, key: str) -> None:
    """Those that are text without quotes, too: only null and true would be something else."""
    spellings = [f'"{key}"', f"'{key}'", *([key] if key not in ("null", "true") else [])]
    for spelling in spellings:
        result = read(root, f"{REQUIRED}variables: {{dify: {{{spelling}: x}}}}\n".encode())
        assert isinstance(result, tuple), "\n".join(map(str, result))
        assert result[1].variables.dify == {key: "x"}


LABELS = ["y", "NO", "on", "null", "true", "0", "010", "08", "1e3", "0x1f", "12.30", "1.0", "2024-01-31", "25921e05"]


@pytest.mark.parametrize("text", LABELS)
def test_labels_come_through_unchanged(root: Path, text: str) -> None:
    """With a domain: Google Cloud, which takes fewer, never sees them."""
    key = f"acme.example/{text}"
    result = read(root, REQUIRED.encode(), f"{PLATFORM}labels:\n  '{key}': '{text}'\n")
    assert isinstance(result, tuple), "\n".join(map(str, result))
    assert result[0].labels == {key: text}
