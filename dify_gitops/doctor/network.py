"""Whether this machine reaches Google at all: asked once and first, so that nothing else waits in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine

_GOOGLE: Final = "https://cloudresourcemanager.googleapis.com/"  # any answer will do, also that there is no such page
_SECONDS: Final = 5.0


def network(machine: Machine) -> tuple[Line, bool]:
    """The line, and whether asking Google makes sense."""
    check = Check("network", "login, project, permissions, quotas and domain are asked for at Google")
    try:
        machine._replace(seconds=min(_SECONDS, machine.seconds)).fetch(_GOOGLE)
    except Unanswered as error:
        fix = f"curl {_GOOGLE} must answer; behind a proxy set https_proxy, which gcloud and git heed too"
        return check.unknown(f"Google is not reached: {error}", fix), not error.offline
    return check.ok("Google answers"), True
