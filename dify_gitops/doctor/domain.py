"""The domain, as the internet sees it: Google's public resolver is asked, not this machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dify_gitops.doctor.line import Check
from dify_gitops.doctor.machine import Unanswered, decode

if TYPE_CHECKING:
    from dify_gitops.doctor.line import Line
    from dify_gitops.doctor.machine import Machine
    from dify_gitops.gcp import Site

_RESOLVER: Final = "https://dns.google/resolve"  # https://developers.google.com/speed/public-dns/docs/doh/json
_NOERROR, _NXDOMAIN = 0, 3
_A, _NS, _SOA = 1, 2, 6
_CLOUD_DNS: Final = ".googledomains.com."


class _Record(msgspec.Struct):
    name: str
    type: int
    data: str


class _Answer(msgspec.Struct, rename="pascal"):
    status: int
    answer: list[_Record] = []
    authority: list[_Record] = []

    def of(self, kind: int) -> list[str]:
        return sorted(record.data for record in self.answer if record.type == kind)

    @property
    def zone(self) -> str:
        """The zone that said so, without trailing dot; empty where that is the root."""
        records = [record for record in (*self.answer, *self.authority) if record.type in (_NS, _SOA)]
        return records[0].name.rstrip(".") if records else ""


def domain(machine: Machine, site: Site) -> Line:
    """Delegated where we keep its zone, resolved where others do, or at least possible: its parent exists."""
    environment = site.environment
    check = Check("domain", "without it there is no certificate, and nobody finds Dify", site.name)
    zone = environment.dns.zone or environment.domain
    name, kind = (zone, _NS) if environment.dns.managed else (environment.domain, _A)
    try:
        answer = _ask(machine, name, kind)
    except Unanswered as error:
        return check.unknown(f"{name} was not looked up at {_RESOLVER}: {error}")
    if answer.status not in (_NOERROR, _NXDOMAIN):
        found = f"{name}: its name servers do not answer (DNS status {answer.status})"
        return check.wrong(found, f"mend what is said there: https://dns.google/query?name={name}&type=NS")
    if answer.status == _NXDOMAIN and "." not in answer.zone:  # only a top-level domain says no, or the root
        fix = f"register it, or correct 'domain' in environments/{site.name}.yaml"
        return check.missing(f"{name}: no zone above it exists", fix)
    return _managed(check, name, answer) if environment.dns.managed else _elsewhere(check, name, answer)


def _managed(check: Check, zone: str, answer: _Answer) -> Line:
    servers = answer.of(_NS)
    if not servers:
        return check.ok(f"{answer.zone or zone} exists; delegate {zone} there after the bootstrap")
    if all(server.endswith(_CLOUD_DNS) for server in servers):
        return check.ok(f"{zone} is delegated to Cloud DNS ({servers[0].rstrip('.')})")
    found = f"{zone} is served by {servers[0].rstrip('.')}: nobody would ask the new zone in Cloud DNS"
    file = f"environments/{check.environment}.yaml"
    return check.wrong(found, f"set dns.managed: false in {file}, or name a zone of its own in dns.zone")


def _elsewhere(check: Check, name: str, answer: _Answer) -> Line:
    if addresses := answer.of(_A):
        return check.ok(f"{name} is {', '.join(addresses)}")
    return check.ok(f"{answer.zone or name} exists; point {name} to the load balancer after the bootstrap")


def _ask(machine: Machine, name: str, kind: int) -> _Answer:
    reply = machine.fetch(f"{_RESOLVER}?name={name}&type={kind}")
    return decode(_Answer, reply.body)
