"""`.env` files as kustomize's ConfigMap generators read them: one ``NAME=value`` per line, nothing is quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_gitops.catalogue.variables import Section


def env_file(sections: Iterable[Section]) -> str:
    """Commented, sectioned text. A name that stands twice would be a bug of ours: ValueError."""
    lines: list[str] = []
    seen: set[str] = set()
    for section in sections:
        lines += ["", f"# --- {section.title}"]
        for variable in section.variables:
            if variable.name in seen:
                message = f"{variable.name} stands twice in one .env file"
                raise ValueError(message)
            seen.add(variable.name)
            if variable.why:
                lines.append(f"# {variable.why}")
            lines.append(f"{variable.name}={variable.value}")
    return "\n".join(lines[1:] or ["# Nothing here differs from the base."]) + "\n"
