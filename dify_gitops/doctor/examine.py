"""All checks: independent ones at the same time, their lines always in the same order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from dify_gitops.bootstrap.kubernetes import over_ssh
from dify_gitops.doctor import domain, git, programs
from dify_gitops.doctor.capacity import capacity
from dify_gitops.doctor.machine import Machine
from dify_gitops.doctor.project import apis, billing, login, project
from dify_gitops.doctor.rights import rights
from dify_gitops.gcp import Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dify_gitops.doctor.line import Line
    from dify_gitops.input.load import Repository

SECONDS: Final = 20.0  # for one question: Google answers within two, a slow way in within ten
_AT_ONCE: Final = 8  # each gcloud is a process that computes for half a second

_IN_PROJECT: Final = (billing, apis, rights, capacity)


def examine(root: Path, repository: Repository, names: Sequence[str], seconds: float = SECONDS) -> list[Line]:
    """Lines about the machine and the repository in ``root``, then about each environment of ``names``.

    ``seconds`` bounds each question that is asked of another program.
    """
    machine = Machine(root, seconds)
    platform = repository.platform
    sites = [Site(name, repository.environments[name], platform) for name in names]
    wanted = list(programs.PROGRAMS)
    if over_ssh(platform):
        wanted.append(programs.SSH_KEYGEN)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            logged_in = pool.submit(login, machine)
            installed = [pool.submit(programs.program, machine, one) for one in wanted]
            judges = pool.submit(programs.judges)
            in_git = pool.submit(git.lines, machine, platform)
            domains = [pool.submit(domain.domain, machine, site) for site in sites]
            login_line, account = logged_in.result()
            seen = [pool.submit(project, machine, site, account) for site in sites]
            # Where a project is not seen, every other question about it would get the same answer, or wait as long.
            deeper = [
                [pool.submit(look, machine, site, access) for look in _IN_PROJECT] if access else []
                for site, (_, access) in zip(sites, (one.result() for one in seen), strict=True)
            ]
            lines = [programs.python(), *(one.result() for one in installed), *judges.result()]
            lines += [login_line, *in_git.result()]
            for first, looks, last in zip(seen, deeper, domains, strict=True):
                lines += [first.result()[0], *(line for look in looks for line in look.result()), last.result()]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return lines
