"""Tree → disk: only what changed, each file whole, nothing that is not ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dify_gitops.errors import UserError
from dify_gitops.tree import CUSTOM, MARK, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK = MARK.encode()
_HEAD = 200  # bytes that hold the first two lines of a file of ours
_ASIDE = ".gen-tmp"  # ending of a file that is being written; one that is left over is removed by the next run


class Changes(msgspec.Struct):
    """What a run did, or would do: paths relative to the root, with ``/``."""

    total: int = 0
    changed: list[str] = []
    new: list[str] = []
    removed: list[str] = []
    strays: list[str] = []  # the user's files among ours: left alone, and not read by any kustomization of ours
    before: dict[str, bytes] = {}  # what the changed files held

    def add(self, other: Changes) -> None:
        """Adds another part of the repository, but for the old contents."""
        self.total += other.total
        self.changed += other.changed
        self.new += other.new
        self.removed += other.removed
        self.strays += other.strays

    def __str__(self) -> str:
        counts = f"{len(self.changed)} changed, {len(self.new)} new, {len(self.removed)} removed"
        return f"{self.total} files: {counts}"


def compare(root: Path, part: Part) -> Changes:
    """What must happen for the folders of ``part`` to hold exactly its tree, beside the user's own files.

    A file without our header is the user's: it is never removed, and one that stands where ours must go is a
    UserError. Seeds are compared by existence only.
    """
    changes = Changes(total=len(part.tree) + len(part.seeds))
    for path, text in part.tree.items():
        old = _read(root / path)
        if old is None:
            changes.new.append(path)
        elif old != text.encode():
            if not _marked(old[:_HEAD]):
                message = f"{path} exists and was not written by gen.py: nothing of this folder was changed"
                raise UserError(message, "move it away, or into custom/ if it shall stay")
            changes.changed.append(path)
            changes.before[path] = old
    changes.new += [path for path in part.seeds if not (root / path).exists()]
    wanted = part.tree.keys() | part.seeds.keys()
    for folder in part.folders:
        for path in _files(root, folder):
            if path not in wanted:
                (changes.removed if _is_ours(root / path) else changes.strays).append(path)
    return changes


def apply(root: Path, part: Part) -> Changes:
    """Makes the folders of ``part`` hold its tree. UserError where the disk refuses; each file is then old or new."""
    changes = compare(root, part)
    texts = {**part.tree, **part.seeds}
    for path in (*changes.new, *changes.changed):
        replace(root, path, texts[path])
    for path in changes.removed:
        _remove(root, path)
    return changes


def replace(root: Path, path: str, text: str) -> None:
    """Writes one file beside its place and moves it there. Raises UserError where the disk refuses."""
    target = root / path
    aside = target.with_name(f".{target.name}{_ASIDE}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            aside.replace(target)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refused(path, error) from error


def _remove(root: Path, path: str) -> None:
    folder = (root / path).parent
    try:
        (root / path).unlink(missing_ok=True)  # what was left over may have become the file it was for
        while folder != root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: str, error: OSError) -> UserError:
    message = f"{path}: {error.strerror or error}; every file is whole, either old or new"
    return UserError(message, "mend the cause and run gen.py again: it writes what is missing")


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise UserError(message, "gen.py must be able to read every file that it owns") from error


def _files(root: Path, folder: str) -> Iterator[str]:
    """Each file below a folder, but for those of the user's component; links are not followed."""
    for directory, folders, files in os.walk(root / folder):
        folders.sort()
        if Path(directory) == root / folder / CUSTOM:
            folders.clear()
            continue
        for name in sorted(files):
            yield Path(directory, name).relative_to(root).as_posix()


def _is_ours(path: Path) -> bool:
    """Whether a file carries our header, or is what an interrupted run left over."""
    if path.is_symlink() or not path.is_file():
        return False
    if path.name.endswith(_ASIDE):
        return True
    try:
        with path.open("rb") as file:
            return _marked(file.read(_HEAD))
    except OSError:  # not readable for us, so not written by us
        return False


def _marked(head: bytes) -> bool:
    """Whether the first two lines hold our header, as a comment of whatever language; a script begins with its own."""
    return any(_MARK in line for line in head.split(b"\n")[:2])
