"""Files → Repository: everything typed, every default filled in, all problems of all files at once."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from dify_gitops.errors import InputError, Problem
from dify_gitops.input import crosscheck
from dify_gitops.input.decode import Decoder
from dify_gitops.input.document import Document
from dify_gitops.input.model import Environment, Platform
from dify_gitops.input.profiles import PROFILES

if TYPE_CHECKING:
    from pathlib import Path as File

PLATFORM: Final = "platform.yaml"
ENVIRONMENTS: Final = "environments"

# It becomes a folder name and a part of the names of Argo CD's objects.
_ENVIRONMENT_NAME: Final = r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?"

# They stand in for required keys that are missing or wrong, so that the rules can judge the rest.
_PLATFORM: Final = Platform(repository="https://example.com/missing.git", contact="missing@example.com")
_REQUIRED: Final = {"project": "missing-project", "region": "missing-region1", "domain": "missing.example"}


class Repository(msgspec.Struct, frozen=True):
    """The whole input. ``environments`` is sorted by name, which is the name of the file."""

    platform: Platform
    environments: dict[str, Environment]


def load_repository(root: File) -> Repository:
    """Read ``platform.yaml`` and ``environments/*.yaml`` below ``root``.

    Raises InputError with every problem of every file.
    """
    problems: list[Problem] = []
    platform = _platform(root, problems)
    loaded = _environments(root, problems)
    crosscheck.check_across(loaded, platform or _PLATFORM)
    problems += [problem for one in loaded for problem in one.document.problems]
    if platform is None or problems:
        raise InputError(problems)
    return Repository(platform, {one.name: one.environment for one in loaded})


def _platform(root: File, problems: list[Problem]) -> Platform | None:
    if not (root / PLATFORM).exists():
        hint = "it holds at least 'repository' and 'contact'; the README lists all keys"
        problems.append(Problem(PLATFORM, 1, 1, "", "is missing", hint))
        return None
    document = _document(root, PLATFORM, problems)
    if document is None:
        return None
    decoder = Decoder(document, Platform)
    platform = decoder.root(_PLATFORM)
    crosscheck.check_platform(document, platform, decoder.bad)
    problems += document.problems
    return platform


def _environments(root: File, problems: list[Problem]) -> list[crosscheck.Loaded]:
    folder = root / ENVIRONMENTS
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        if name.endswith(".yml"):
            file = f"{ENVIRONMENTS}/{name}"
            problems.append(Problem(file, 1, 1, "", "would not be read", f"rename it to {name[:-4]}.yaml"))
    names = [name for name in names if name.endswith(".yaml") and not name.startswith(".")]
    if not names:
        hint = "one file each, such as environments/prod.yaml, with at least 'project', 'region' and 'domain'"
        problems.append(Problem(ENVIRONMENTS, 1, 1, "", "holds no environment", hint))
    loaded = [_environment(root, name.removesuffix(".yaml"), problems) for name in names]
    return [one for one in loaded if one]


def _environment(root: File, name: str, problems: list[Problem]) -> crosscheck.Loaded | None:
    file = f"{ENVIRONMENTS}/{name}.yaml"
    if not re.fullmatch(_ENVIRONMENT_NAME, name):
        hint = "at most 20 lower-case letters, digits and hyphens, beginning with a letter"
        problems.append(Problem(file, 1, 1, "", "the file's name is no name of an environment", hint))
    document = _document(root, file, problems)
    if document is None:
        return None
    decoder = Decoder(document, Environment)
    loaded = crosscheck.Loaded(name, document, decoder.root(_defaults(_profile(document))), decoder.bad)
    crosscheck.check_environment(loaded)
    if not document.problems:
        document.forget()
    return loaded


def _document(root: File, file: str, problems: list[Problem]) -> Document | None:
    try:
        return Document(file, (root / file).read_bytes())
    except InputError as error:
        problems += error.problems
    except OSError as error:
        problems.append(Problem(file, 1, 1, "", f"cannot be read: {error.strerror}"))
    return None


def _profile(document: Document) -> str:
    """The profile that the file names; one that does not exist is complained about like any other value."""
    named = next((value.text for key, value in document.root.pairs() if key.text == "profile"), "")
    return named if named in PROFILES else "prod"


@cache
def _defaults(profile: str) -> Environment:
    """What lies below the user's keys. Its parts are shared by all environments that leave them alone."""
    return msgspec.convert({**PROFILES[profile], **_REQUIRED}, Environment)
