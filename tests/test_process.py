"""Processes: every failure names the command and the reason."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from dify_gitops.process import ToolError, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_input_folder_and_environment_reach_the_process_and_its_output_comes_back(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(sys.stdin.read() + os.getcwd() + os.environ['EXTRA']); sys.stderr.write('e')\n"
        "assert 'PATH' in os.environ"
    )
    done = run(python(code), cwd=tmp_path, input="ü ", env={"EXTRA": "!"})
    assert (done.stdout, done.stderr, done.code) == (f"ü {tmp_path.resolve()}!\n", "e", 0)


def test_without_input_a_process_that_reads_does_not_wait_for_the_terminal() -> None:
    assert run(python("import sys; print(sys.stdin.read() == '')")).stdout == "True\n"


def test_accepted_status_is_returned_and_another_is_an_error() -> None:
    assert run(python("raise SystemExit(1)"), accept=(0, 1)).code == 1
    with pytest.raises(ToolError, match=r"^exit status 2: "):
        run(python("raise SystemExit(2)"), accept=(0, 1))


def test_failure_shows_the_quoted_command_and_the_end_of_its_complaint() -> None:
    code = "import sys; print(*range(100), sep='\\n', file=sys.stderr); sys.exit(3)"
    with pytest.raises(ToolError) as caught:
        run(python(code))
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("exit status 3: ")
    assert first.endswith(f"""{code.replace("'", "'" + '"' + "'" + '"' + "'")}'""")
    assert rest == ["…", *map(str, range(80, 100))]


def test_missing_program_and_missing_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"cannot run: no-such-tool --flag\nNo such file .*: no-such-tool"):
        run(["no-such-tool", "--flag"])
    with pytest.raises(ToolError, match=r"No such file or directory: .*gone"):
        run([sys.executable], cwd=tmp_path / "gone")


def test_time_out_ends_the_children_of_the_process_too(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; wait"
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"no end after 0\.5 s: sh -c "):
        run(["sh", "-c", script], timeout=0.5)
    assert time.monotonic() - start < 20
    assert _is_gone(int(child.read_text()))


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # dead; whoever adopted it has not noticed yet
        time.sleep(0.05)
    return False
