"""Command line: verbs, exit status, and the only place that prints."""

from __future__ import annotations

import sys
from pathlib import Path

from dify_gitops.errors import Exit, InputError, UserError

USAGE = """\
usage: python gen.py [generate | check | schema]

  generate   write the repository (the default)
  check      exit 1 if the repository is stale, does not build, or breaks a rule
  schema     write the JSON Schemas of the input and the tables of the documentation

Runs in the folder that holds platform.yaml.
Exit status: 0 fine, 1 findings, 2 wrong input or usage, 3 a bug of ours, 130 interrupted.
"""


def generate(root: Path) -> Exit:
    """Writes the repository and prints a summary."""
    from dify_gitops.input.load import load_repository
    from dify_gitops.repository import parts
    from dify_gitops.write import Changes, apply

    repository = load_repository(root)
    changes = Changes()
    for part in parts(repository, root):
        changes.add(apply(root, part))
    print(changes)
    return Exit.OK


def check(root: Path) -> Exit:
    """Judges the repository and prints every finding."""
    from dify_gitops.check import findings

    found = findings(root)
    for finding in found:
        print(finding)
    print(f"{len(found)} findings" if found else "no findings")
    return Exit.FINDINGS if found else Exit.OK


def schema(root: Path) -> Exit:
    """Writes what is derived from the model for editors and readers."""
    from dify_gitops.docs import derived
    from dify_gitops.write import replace

    for path, text in derived(root).items():
        replace(root, path, text)
        print(path)
    return Exit.OK


VERBS = {"generate": generate, "check": check, "schema": schema}


def main(arguments: list[str] | None = None) -> int:
    """Runs one verb in the current folder and returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in {"-h", "--help"}:
        print(USAGE, end="")
        return Exit.OK
    if len(words) > 1 or (words and words[0] not in VERBS):
        print(f"gen.py: unknown: {' '.join(words)}\n{USAGE}", end="", file=sys.stderr)
        return Exit.WRONG_INPUT
    try:
        return VERBS[words[0] if words else "generate"](Path())
    except InputError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'s' if count > 1 else ''}; nothing was written", file=sys.stderr)
    except UserError as error:
        hint = f" (hint: {error.hint})" if error.hint else ""
        print(f"gen.py: {error}{hint}", file=sys.stderr)
    except KeyboardInterrupt:
        print("gen.py: interrupted; every file is whole, run it again", file=sys.stderr)
        return Exit.INTERRUPTED
    return Exit.WRONG_INPUT
