"""libyaml's complaints in the words of someone who wants to mend the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import yaml

# libyaml's problem: (what is wrong, what to do).
_WORDS: Final = {
    "mapping values are not allowed in this context": (
        "a ':' where no key can stand",
        "indent keys of one level alike, put a space after each ':', and text that holds ': ' in quotes",
    ),
    "could not find expected ':'": ("a key without ':'", "write 'key: value', or '- value' in a list"),
    "did not find expected key": ("no key of this level", "indent keys of one level alike"),
    "did not find expected '-' indicator": ("neither '-' nor the end of the list", "indent all items alike"),
    "did not find expected ',' or ']'": (
        "neither ',' nor ']' here, after the '['",
        "close it; quote text with [ ] { } or ,",
    ),
    "did not find expected ',' or '}'": (
        "neither ',' nor '}' here, after the '{'",
        "close it; quote text with [ ] { } or ,",
    ),
    "found unexpected end of stream": ("a quote is never closed", "close it; inside of '…' write '' for '"),
    "did not find expected node content": (
        "a value or a closing bracket is missing",
        "end what '[' or '{' began",
    ),
    "found character that cannot start any token": (
        "a value cannot begin with this character",
        "put the text in quotes",
    ),
    "found unknown escape character": (
        "an unknown escape",
        'write \\\\ for a backslash, or use single quotes instead of "',
    ),
    "found incompatible YAML document": ("an unknown YAML version", "remove the %YAML line"),
    "found undefined tag handle": ("an unknown tag", "tags are not supported: put text in quotes"),
}
# Shown where they begin: the place where libyaml notices helps nobody.
_LATE: Final = (
    "could not find expected ':'",
    "found unexpected end of stream",
)


def explain(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, int, str, str]:
    """Line and column (from 1), message and hint for a syntax error in a file of these ``lines``."""
    problem = error.problem or "not YAML"
    mark = error.problem_mark
    if mark is None or (problem in _LATE and error.context_mark):
        mark = error.context_mark
    if mark is None:
        return 1, 1, problem, ""
    number, column = mark.line, mark.column
    while number > 0 and (number >= len(lines) or not lines[number].strip()):
        number -= 1  # an empty line, such as the end of the file, shows nothing
        column = len(lines[number])
    indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    if "\t" in indent:
        return number + 1, indent.index("\t") + 1, "a tab in the indentation", "indent with spaces"
    message, hint = _WORDS.get(problem, (problem, ""))
    if problem.startswith("did not find expected ','") and error.context_mark:
        message += f" on line {error.context_mark.line + 1}"
    return number + 1, column + 1, f"not YAML: {message}", hint
