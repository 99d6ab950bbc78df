"""All checks: independent ones at the same time, their lines always in the same order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from dify_gitops.doctor import domain, git, programs
from dify_gitops.doctor.capacity import capacity
from dify_gitops.doctor.machine import Machine
from dify_gitops.doctor.network import network
from dify_gitops.doctor.project import apis, billing, expired, login, project
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
    if platform.over_ssh:
        wanted.append(programs.SSH_KEYGEN)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            way_out = pool.submit(network, machine)
            installed = [pool.submit(programs.program, machine, one) for one in wanted]
            judges = pool.submit(programs.judges)
            in_git = pool.submit(git.lines, machine, platform, sites)
            network_line, online = way_out.result()
            google = machine._replace(online=online)
            logged_in = pool.submit(login, google)
            domains = [pool.submit(domain.domain, google, site) for site in sites]
            account = logged_in.result()
            asked = [pool.submit(project, google, site, account) for site in sites]
            seen = [one.result() for one in asked]
            if any(one.expired for one in seen):  # gcloud keeps a token for an hour, also of an account that is shut
                account = expired(account.account)
            # Where a project is not seen, every other question about it would get the same answer, or wait as long.
            deeper = [
                [pool.submit(look, google, site, one.access) for look in _IN_PROJECT] if one.access else []
                for site, one in zip(sites, seen, strict=True)
            ]
            git_lines, refs = in_git.result()
            revisions = [pool.submit(git.revision, machine, site, refs) for site in sites]
            lines = [programs.python(), *(one.result() for one in installed), *judges.result()]
            lines += [network_line, account.line, *git_lines]
            for one, looks, named, last in zip(seen, deeper, domains, revisions, strict=True):
                lines += [one.line, *(line for look in looks for line in look.result()), named.result(), *last.result()]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return lines
