"""Input files: every wrong one with exactly what the user reads, every right one with what comes out of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from dify_gitops.errors import InputError, UserError
from dify_gitops.input.decode import Decoder
from dify_gitops.input.document import Document
from dify_gitops.input.load import Repository, load_repository
from dify_gitops.input.model import Amount, Environment, Model, Platform
from dify_gitops.input.specs import Keys, MapOf, keys

INPUT = Path(__file__).parent / "input"
REFRESH = "REFRESH=1 pytest tests/test_input.py"  # then read every line of the difference
REQUIRED = "project: acme-dify-prod\nregion: asia-northeast1\ndomain: dify.acme.example\n"


def repository(folder: Path, root: Path) -> Path:
    """The base files with those of `folder` laid over them, in the places where the loader looks.

    `absent.txt` lists files to leave out.
    """
    (root / "environments").mkdir()
    for source in (*sorted((INPUT / "base").iterdir()), *sorted(folder.glob("*.y*ml"))):
        shutil.copy(source, root if source.name == "platform.yaml" else root / "environments")
    absent = folder / "absent.txt"
    for name in absent.read_text().split() if absent.exists() else ():
        (root / name).unlink()
    return root


def prod(root: Path, content: str | bytes) -> Path:
    """The base files with other bytes as production's file."""
    repository(INPUT / "base", root)
    data = content if isinstance(content, bytes) else content.encode()
    (root / "environments" / "prod.yaml").write_bytes(data)
    return root


def loaded(root: Path, more: str = "") -> Environment:
    return load_repository(prod(root, REQUIRED + more)).environments["prod"]


def complaints(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_repository(root)
    return "".join(f"{problem}\n" for problem in caught.value.problems)


@pytest.mark.parametrize("case", sorted((INPUT / "invalid").iterdir()), ids=lambda case: case.name)
def test_wrong_input_is_refused_with_exactly_these_words(case: Path, tmp_path: Path) -> None:
    expected = case / "expected.txt"
    said = complaints(repository(case, tmp_path))
    if "REFRESH" in os.environ:
        expected.write_text(said)
    assert said == expected.read_text(), f"if this is better: {REFRESH}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: b\nc: \xff\n", "2:4: byte 0xff is not UTF-8 (hint: save the file as UTF-8)"),
        ("a: b\n".encode("utf-16"), "1:1: byte 0xff is not UTF-8 (hint: save the file as UTF-8)"),
        (b"\xef\xbb\xbfa: b\n", "1:1: a byte order mark begins the file (hint: save it as UTF-8 without BOM)"),
        (b"a: b\r\nc: \x1b[31m\r\n", "2:4: control character U+001B (hint: remove it)"),
        (b"", "1:1: the file is empty (hint: the README lists all keys)"),
        (b"#" * 300_000, "1:1: the file is larger than 256 KiB (hint: is it an input file?)"),
    ],
    ids=["invalid UTF-8", "UTF-16", "byte order mark", "control character", "nothing", "too large"],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, said: str, tmp_path: Path) -> None:
    assert complaints(prod(tmp_path, data)).splitlines()[0] == f"environments/prod.yaml:{said}"


def test_a_control_character_is_not_sent_to_the_terminal(tmp_path: Path) -> None:
    said = complaints(prod(tmp_path, b"a: \x1b[31m\n"))
    assert said.splitlines()[1:] == [" 1 | a: \N{REPLACEMENT CHARACTER}[31m", "   |    ^"]


def test_lines_are_counted_alike_with_any_line_break(tmp_path: Path) -> None:
    content = (REQUIRED + "nodes:\n  max: many\n").replace("\n", "\r\n")
    said = complaints(prod(tmp_path, content))
    assert said.startswith("environments/prod.yaml:5:8: nodes.max: ")
    assert said.splitlines()[1] == " 5 |   max: many"


def test_a_folder_instead_of_a_file_is_a_problem_of_the_input(tmp_path: Path) -> None:
    root = prod(tmp_path, REQUIRED)
    (root / "environments" / "eu.yaml").mkdir()
    assert complaints(root) == "environments/eu.yaml:1:1: cannot be read: Is a directory\n"


def test_other_files_beside_the_environments_are_left_alone(tmp_path: Path) -> None:
    root = prod(tmp_path, REQUIRED)
    for name in (".prod.yaml", "prod.yaml~", "README.md"):
        (root / "environments" / name).write_text("[")
    assert list(load_repository(root).environments) == ["dev", "prod"]


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: ", "[[", "a: [", "!x [", "&a [", "*a ,"])
def test_nesting_without_end_is_refused_at_once(opening: str, tmp_path: Path) -> None:
    assert "environments/prod.yaml:1:" in complaints(prod(tmp_path, opening * 50_000))


def test_thousands_of_problems_are_all_reported(tmp_path: Path) -> None:
    said = complaints(prod(tmp_path, REQUIRED + "".join(f"key{number}: x\n" for number in range(10_000))))
    assert said.count(": unknown key") == 10_000


def test_numbers_of_any_length_are_compared(tmp_path: Path) -> None:
    said = complaints(prod(tmp_path, REQUIRED + f"nodes: {{max: {'9' * 20_000}}}\n"))
    assert f"nodes.max: must be at most 1000, got {'9' * 60}\n" in said


def wrong_everywhere(spec: Keys, indent: str = "") -> str:
    """A file in which every value has a type that its key cannot take."""
    lines = []
    for key, field in spec.fields.items():
        if isinstance(field.spec, Keys):
            lines += [f"{indent}{key}:", wrong_everywhere(field.spec, indent + "  ")]
        elif isinstance(field.spec, MapOf) and isinstance(field.spec.item, Keys):
            lines += [
                f"{indent}{key}:",
                f"{indent}  name:",
                wrong_everywhere(field.spec.item, indent + "    "),
            ]
        else:
            lines.append(f"{indent}{key}: {{}}" if not isinstance(field.spec, MapOf) else f"{indent}{key}: 1")
    return "\n".join(lines)


def test_no_wrong_value_hides_another_one(tmp_path: Path) -> None:
    """Every line but those that only open a section has a problem, and the rules add nothing to it."""
    content = wrong_everywhere(keys(Environment))
    (tmp_path / "environments").mkdir()
    (tmp_path / "platform.yaml").write_text("repository: {}\ncontact: 1\nowners: x\nlabels: []\nwaivers: {}\n")
    (tmp_path / "environments" / "prod.yaml").write_text(content)
    with pytest.raises(InputError) as caught:
        load_repository(tmp_path)
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    wrong = [number for number, line in enumerate(content.splitlines(), 1) if not line.endswith(":")]
    expected = [("environments/prod.yaml", line) for line in wrong]
    assert places == [*expected, *(("platform.yaml", line) for line in range(1, 6))]


@pytest.mark.parametrize("case", sorted((INPUT / "valid").iterdir()), ids=lambda case: case.name)
def test_right_input_is_taken(case: Path, tmp_path: Path) -> None:
    assert isinstance(load_repository(repository(case, tmp_path)), Repository)


def test_all_keys_of_the_model_stand_in_the_valid_example() -> None:
    folder = INPUT / "valid" / "all-keys"
    for name, model in (("prod.yaml", Environment), ("platform.yaml", Platform)):
        document = Document(name, (folder / name).read_bytes())
        assert absent(document, keys(model), ()) == []


def absent(document: Document, spec: Keys, path: tuple[str, ...]) -> list[str]:
    missing = []
    for key, field in spec.fields.items():
        here = (*path, key)
        if not document.holds(here):
            missing.append(".".join(here))
        elif isinstance(field.spec, Keys):
            same = path == ("images",) and key != "api"  # one image shows all of its keys
            missing += [] if same else absent(document, field.spec, here)
        elif isinstance(field.spec, MapOf) and isinstance(field.spec.item, Keys):
            missing += absent(document, field.spec.item, (*here, "interactive"))
    return missing


def test_only_true_false_null_and_decimal_digits_are_not_text(tmp_path: Path) -> None:
    root = repository(INPUT / "valid" / "flavours", tmp_path)
    variables = load_repository(root).environments["prod"].variables.dify
    assert variables == {
        "NO": "NO", "y": "y", "on": "on", "off": "Off", "_": "~", "n": "n", "YES": "YES", "null_": "null",
        "OCTAL": "010", "OCTAL2": "0o17", "HEX": "0x1f", "TIME": "12:30", "SCIENCE": "1e3",
        "DATE": "2024-01-31", "INFINITE": ".inf", "GROUPED": "1_000", "DOTTED": "1.2.3", "PLUS": "+1",
        "HALF": ".5", "DOT": "1.", "CHECK_UPDATE_URL": "", "SPACE": " a ", "QUOTED": "12", "DOUBLE": "1.5",
        "TRUE": "true", "TITLE": "True", "CAPITALS": "NULL", "EMOJI": "🙂", "JAPANESE": "日本語",
        "HASH": "a#b", "DOLLAR": "$(DB_HOST) ${HOME}", "QUOTES": "'\"", "BACKSLASH": "a\\b", "EQUALS": "a=b",
        "BANG": "!x", "STAR": "*x",
    }  # fmt: skip


def test_what_is_left_out_is_the_architectures_own_number(tmp_path: Path) -> None:
    environment = loaded(tmp_path)
    assert environment.api.requests == Amount(cpu="250m", memory="512Mi")
    assert (environment.api.min, environment.api.max) == (2, 4)
    assert (environment.database.tier, environment.database.max_connections) == ("db-custom-2-4096", 200)
    pools = {name: (pool.min, pool.max, pool.queues) for name, pool in environment.worker.pools.items()}
    assert pools == {"interactive": (1, 6, ()), "batch": (1, 4, ("rest",))}


def test_profile_dev_is_the_same_at_trial_size(tmp_path: Path) -> None:
    environment = load_repository(prod(tmp_path, REQUIRED)).environments["dev"]
    assert (environment.database.availability, environment.redis.tier) == ("ZONAL", "BASIC")
    assert (environment.weaviate.volume, environment.weaviate.backup.keep) == ("20Gi", 3)
    assert environment.weaviate.backup.schedule == "30 2 * * *"


def test_a_key_changes_nothing_beside_it(tmp_path: Path) -> None:
    environment = loaded(tmp_path, "api:\n  requests: {cpu: 300m}\nweaviate: {backup: {keep: 9}}\n")
    assert environment.api.requests == Amount(cpu="300m", memory="512Mi")
    assert environment.api.limits == Amount(cpu="1000m", memory="2Gi")
    assert (environment.weaviate.backup.keep, environment.weaviate.backup.schedule) == (9, "30 2 * * *")


def test_pools_are_merged_by_name_and_each_by_key(tmp_path: Path) -> None:
    pools = loaded(
        tmp_path,
        "worker:\n  pools:\n    mail: {queues: [mail], max: 1}\n    batch: {max: 2, limits: {memory: 4Gi}}\n",
    ).worker.pools
    assert list(pools) == ["interactive", "batch", "mail"]
    assert (pools["batch"].min, pools["batch"].max, pools["batch"].queues) == (1, 2, ("rest",))
    assert pools["batch"].limits == Amount(cpu="1000m", memory="4Gi")
    assert (pools["mail"].min, pools["mail"].concurrency) == (1, 4)
    assert pools["mail"].requests == Amount(cpu="250m", memory="512Mi")


def test_environments_that_leave_a_section_alone_share_it(tmp_path: Path) -> None:
    """Five hundred environments must not hold five hundred copies of the defaults."""
    root = prod(tmp_path, REQUIRED)
    other = REQUIRED.replace("prod", "eu").replace("dify.acme", "eu.acme")
    (root / "environments" / "eu.yaml").write_text(other)
    environments = load_repository(root).environments
    assert environments["eu"].images is environments["prod"].images


def test_a_bound_without_words_of_ours_is_kept_all_the_same() -> None:
    class Short(Model, frozen=True):
        text: Annotated[str, Meta(max_length=2)] = ""

    document = Document("file.yaml", b"text: long\n")
    Decoder(document, Short).root(Short())
    assert [str(problem).splitlines()[0] for problem in document.problems] == [
        "file.yaml:1:7: text: Expected `str` of length <= 2"
    ]


def test_without_the_c_part_of_pyyaml_the_user_hears_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("yaml.CSafeLoader")
    with pytest.raises(UserError, match="without its C part"):
        load_repository(prod(tmp_path, REQUIRED))


def test_loading_imports_little() -> None:
    """Each of these would cost a part of the whole start-up time."""
    heavy = {"argparse", "asyncio", "dataclasses", "difflib", "inspect", "json", "subprocess", "zoneinfo"}
    code = "import sys, yaml, msgspec; before = set(sys.modules); import dify_gitops.input.load; "
    code += "print(*(set(sys.modules) - before))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(imported.stdout.split())
