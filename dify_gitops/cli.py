"""Command line: verbs, exit status, and the only place that prints."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dify_gitops.errors import Exit, InputError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from dify_gitops.doctor.line import Line
    from dify_gitops.errors import Finding, Problem

STATUS = (
    "exit status: 0 fine, 1 findings, 2 wrong input or usage, 3 a bug of ours, 130 interrupted, 141 output not read"
)


def generate(root: Path, _form: str = "text") -> Exit:
    """Write the repository; the last line says what changed. Findings are changes that Config Connector refuses."""
    from dify_gitops.input.load import load_repository
    from dify_gitops.repository import parts, refused_changes
    from dify_gitops.write import Changes, apply

    repository = load_repository(root)
    changes = Changes()
    refused: list[Finding] = []
    for part in parts(repository, root):
        done = apply(root, part)
        changes.add(done)
        refused += refused_changes(done.before, part.tree)
    for path in changes.strays:
        print(f"{path}: not ours, left alone; nothing reads it here, custom/ is the place for it", file=sys.stderr)
    _report(refused, "text", sys.stderr)
    print(changes)
    return Exit.FINDINGS if refused else Exit.OK


def check(root: Path, form: str = "text") -> Exit:
    """Judge what is written; every finding is printed."""
    from dify_gitops.check import findings

    found = findings(root)
    _report(found, form, sys.stdout)
    if form == "text":
        print(f"{len(found)} finding{'s' if len(found) > 1 else ''}" if found else "no findings")
    return Exit.FINDINGS if found else Exit.OK


def schema(root: Path, _form: str = "text") -> Exit:
    """Write what is derived from the model: JSON Schemas for editors, tables of the documentation."""
    from dify_gitops.docs import derived
    from dify_gitops.write import replace

    for path, text in derived(root).items():
        replace(root, path, text)
        print(path)
    return Exit.OK


def doctor(root: Path, form: str = "text", environments: Sequence[str] = ()) -> Exit:
    """Look at what bootstrap needs, for all environments or for some; nothing is changed, here or at Google."""
    from dify_gitops.doctor.examine import examine
    from dify_gitops.doctor.line import flawed, text
    from dify_gitops.input.load import load_repository

    repository = load_repository(root)
    known = list(repository.environments)
    for name in environments:
        if name not in known:
            raise UserError(f"there is no environment {name!r}", f"environments/ has {', '.join(known)}")
    lines = examine(root, repository, [name for name in known if name in environments] or known)
    _report(lines if form == "json" else list(text(lines)), form, sys.stdout)
    return Exit.FINDINGS if flawed(lines) else Exit.OK


VERBS = {"generate": generate, "check": check, "schema": schema, "doctor": doctor}


def _report(flaws: Sequence[Finding | Problem | Line | str], form: str, stream: TextIO) -> None:
    """Flaws as text, or as one JSON list of objects with the same parts."""
    if form == "json":
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(flaws)).decode(), file=stream)
        return
    for flaw in flaws:
        print(flaw, file=stream)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="gen.py",
        description="Writes the GitOps repository of the folder that holds platform.yaml.",
        epilog=STATUS,
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how findings and problems look")
    verbs = parser.add_subparsers(dest="verb", metavar="generate | check | schema | doctor")
    verbs.add_parser("generate", help="write the repository (the default)")
    verbs.add_parser("check", help="is it current, does it build, is it valid, does it keep our rules?")
    verbs.add_parser("schema", help="write the JSON Schemas of the input and the tables of the documentation")
    examination = verbs.add_parser("doctor", help="is this machine, and the Google Cloud project, ready for bootstrap?")
    examination.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="only these (default: all)")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb in the current folder and return the exit status."""
    try:
        try:
            return _run(words)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # `gen.py check | head`: who read the output has enough
        for stream in (sys.stdout, sys.stderr):  # Python flushes both once more at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return Exit.UNREAD


def _run(words: Sequence[str] | None) -> int:
    arguments = _arguments(words)
    try:
        if arguments.verb == "doctor":
            return doctor(Path(), arguments.format, arguments.environments)
        return VERBS[arguments.verb or "generate"](Path(), arguments.format)
    except InputError as error:
        _report(error.problems, arguments.format, sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'s' if count > 1 else ''}; nothing was written", file=sys.stderr)
        return Exit.WRONG_INPUT
    except UserError as error:
        hint = f" (hint: {error.hint})" if error.hint else ""
        print(f"gen.py: {error}{hint}", file=sys.stderr)
        return Exit.WRONG_INPUT
    except KeyboardInterrupt:
        print("gen.py: interrupted; every file is whole, run it again", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the last resort: whatever it is, it is ours
        import traceback

        traceback.print_exc()
        print("gen.py: this is a bug of ours; please report it with the lines above", file=sys.stderr)
        return Exit.BUG
