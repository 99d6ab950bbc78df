"""Verbs, exit status, and what a person or a pipeline reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repo import environment, make, write_input

from dify_gitops import check, cli
from dify_gitops.toolchain import ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_verb_it_generates(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_input(root)
    assert cli.main([]) == 0
    assert cli.main(["generate"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("0 changed, 0 new, 0 removed")


def test_wrong_input_is_2_and_says_all_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_input(root, prod=environment(project="NO", regoin="x"))
    assert cli.main([]) == 2
    text = capsys.readouterr().err
    assert "environments/prod.yaml:2:10: project:" in text
    assert "regoin" in text
    assert text.endswith("2 problems; nothing was written\n")
    assert not (root / "base").exists()


def test_problems_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_input(root, prod=environment(project="NO"))
    assert cli.main(["--format", "json"]) == 2
    text = capsys.readouterr().err
    (problem,) = json.loads(text[: text.rindex("]") + 1])
    assert (problem["file"], problem["line"], problem["key"]) == ("environments/prod.yaml", 2, "project")


@pytest.mark.parametrize("words", [["nonsense"], ["generate", "more"], ["--format", "xml"]])
def test_wrong_usage_is_2(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    assert "usage: gen.py" in capsys.readouterr().err
    assert not list(root.iterdir())


def test_help_names_every_verb_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in cli.VERBS)
    assert "130" in text


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (ZeroDivisionError("oops"), 3)])
def test_interruption_and_bugs_have_their_own_status(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
) -> None:
    def fail(_root: Path) -> list[object]:
        raise error

    make(root)
    monkeypatch.setattr(check, "findings", fail)
    assert cli.main(["check"]) == status
    text = capsys.readouterr().err
    assert ("a bug of ours" in text and "oops" in text) if status == 3 else "interrupted" in text


def unread(words: list[str], errors: int = subprocess.STDOUT) -> subprocess.CompletedProcess[str]:
    """gen.py, whose output goes into a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}  # most write at their end
    program = [sys.executable, "-c", "import sys; from dify_gitops.cli import main; sys.exit(main())", *words]
    try:
        return subprocess.run(program, stdout=writer, stderr=errors, env=env, text=True, check=False)
    finally:
        os.close(writer)


@pytest.mark.parametrize("words", [["--help"], [], ["check"], ["--format", "json", "check"]])
def test_a_reader_that_has_enough_is_no_bug(root: Path, words: list[str]) -> None:
    write_input(root)  # and nothing more: check has much to say
    shutil.copy(ROOT / "README.md", root)
    done = unread(words, errors=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, "")


def test_problems_that_nobody_reads_to_the_end_are_no_bug(root: Path) -> None:
    write_input(root, prod=environment(project="NO"))
    assert unread([]).returncode == 141
