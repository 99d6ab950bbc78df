"""How the checks ask: programs of this machine, with a time limit, without prompts, and read-only."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from dify_gitops.process import Completed, ToolError, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T")

NOT_REACHED: Final = "there is no way to Google, see network"

_ANY_STATUS: Final = range(-128, 256)  # what a program says with its exit status is judged here; signals are negative
_LONGEST: Final = 160  # characters of a foreign message: more is a wall

# Nobody is asked anything, neither on the terminal nor in a window, and gcloud does not turn an API on to answer.
_ENV: Final = {
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_SHOULD_PROMPT_TO_ENABLE_API": "false",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",  # messages are read by us too
}

_NO_WAY: Final = re.compile(
    r"resolv|name resolution|connection|connect to|timed? ?out|unreachable|max retries|no end after|network",
    re.IGNORECASE,
)


class Unanswered(Exception):  # noqa: N818 - a question without an answer, not an error of ours
    """A program gave no usable answer; ``str()`` is one short line, ``text`` all that it said."""

    def __init__(self, text: str) -> None:
        said = [line for line in text.strip().splitlines() if line.strip()]
        first = re.sub(r"^(ERROR: |fatal: |curl: |\(gcloud[^)]*\) |\([0-9]+\) )+", "", said[0].strip()) if said else ""
        short = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
        super().__init__(short or "it said nothing")
        self.text = text

    @property
    def offline(self) -> bool:
        """Whether the other side was not reached at all."""
        return bool(_NO_WAY.search(self.text))


class Reply(NamedTuple):
    """Status and body of an HTTP answer."""

    status: int
    body: str


class Machine(NamedTuple):
    """Where the checks run: ``root`` is the repository's folder, ``seconds`` the most that one question may take.

    Where ``online`` is false Google is not asked: gcloud alone would try for half a minute, question by question.
    """

    root: Path
    seconds: float
    online: bool = True

    def has(self, program: str) -> bool:
        """Whether a program is in PATH."""
        return shutil.which(program) is not None

    def ask(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002 - the name `run` uses
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """What a program says, whatever its exit status. Raises Unanswered if it is not there or does not end.

        ``env`` is laid over the environment in which nobody is asked anything.
        """
        if not self.has(args[0]):
            raise Unanswered(f"{args[0]} is not in PATH")
        try:
            return run(
                args, cwd=self.root, input=input, timeout=self.seconds, env={**_ENV, **(env or {})}, accept=_ANY_STATUS
            )
        except ToolError as error:
            raise Unanswered(str(error)) from error

    def output(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """What a program prints. Raises Unanswered also where it fails, with its complaint."""
        done = self.ask(*args, env=env)
        if done.code:
            raise Unanswered(done.stderr or done.stdout or f"{args[0]} ends with {done.code}")
        return done.stdout

    def gcloud(self, kind: type[T], *args: str) -> T:
        """What Google tells gcloud, as ``kind``. Raises Unanswered."""
        self._reach()
        return decode(kind, self.output("gcloud", *args, "--format=json"))

    def fetch(self, url: str, *, token: str = "", body: Any = None) -> Reply:
        """The answer to a GET, or to a POST with ``body`` as JSON. Raises Unanswered where there is none.

        curl reads all of it from its standard input: every user of the machine can see command lines.
        """
        self._reach()
        config = {"url": url, "max-time": f"{self.seconds:g}", "write-out": "\n%{http_code}"}
        headers = [f"Authorization: Bearer {token}"] if token else []
        if body is not None:
            config["data"] = json.dumps(body)
            headers.append("Content-Type: application/json")
        lines = [*config.items(), *(("header", header) for header in headers)]
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines)
        # -q comes first: a .curlrc could print or keep the headers.
        done = self.ask("curl", "-q", "--silent", "--show-error", "--config", "-", input=text)
        answer, _, status = done.stdout.rpartition("\n")
        if done.code or not status.isdigit():
            raise Unanswered(done.stderr or f"curl ends with {done.code}")
        return Reply(int(status), answer)

    def _reach(self) -> None:
        if not self.online:
            raise Unanswered(NOT_REACHED)


def decode(kind: type[T], text: str) -> T:
    """JSON as ``kind``. Raises Unanswered for anything else."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise Unanswered(f"the answer is not understood: {error}") from error
