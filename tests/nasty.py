"""Text that YAML readers are known to change, break at, or refuse.

`TEXTS` must come back unchanged, as value and (but for `<<`, which kustomize drops) as key; `LONG` as value only,
because a simple key ends after 1024 characters; `REFUSED` cannot be written at all. Sources: the type tables of
YAML 1.1 and 1.2, the resolvers of PyYAML and go-yaml (`resolve.go`), and what occurs in Kubernetes manifests.
"""

from __future__ import annotations


def _cases(*words: str) -> list[str]:
    """Every word in lower case, upper case and with a capital."""
    return [spelling for word in words for spelling in dict.fromkeys((word, word.upper(), word.capitalize()))]


GROUPS: dict[str, list[str]] = {
    # YAML 1.1 has eight such words in three spellings each; some versions of go-yaml leave out `y` and `n`.
    "booleans": [*_cases("y", "n", "yes", "no", "on", "off", "true", "false"), "yEs", "oN", "tRUE"],
    "nulls": ["", "~", *_cases("null"), "nULL", "none", "None", "nil", "undefined"],
    # YAML 1.1 reads 010 as eight, 1.2 as ten; go-yaml drops all underscores before it looks.
    "integers": [
        *("0", "00", "1", "42", "-1", "+1", "-0", "010", "0777", "08", "0o17", "0O17", "-0o17", "0x1F"),
        *("0XfF", "-0xff", "+0xff", "0b101", "0B101", "-0b101", "0b2", "0o9", "0xg", "0x", "0b", "0o", "0x_"),
        *("0b_", "1_000", "1__0", "_1", "1_", "0_x1F", "0_b1", "0_o17", "0_8", "-1_0", "9223372036854775808"),
        "9" * 30,
    ],
    "floats": [
        *("1.0", "1.", ".5", "+.5", "-.5", "1_0.5", "1._5", "._5", "0.0", "-0.0", "1.10", "685.230_15", "."),
        *("..", "-.", "1e3", "1E3", "1e+3", "1e-3", "12e45", "1.5e3", ".5e3", "1.e3", "1e", "e3", "1e_3"),
        *("1e_+3", "1e3_", "6e23", "25921e05", "1234567e8", "0e0", "1e1000", "+1e3", "-1e3", "0x1p-2"),
        *("0x1.8p1", "1e3.5", "1,000", "1 000"),
    ],
    "infinity and not a number": [
        *(".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.INF", ".iNf", ".nan", ".NaN", ".NAN", ".Nan", "inf"),
        *("Infinity", "-Infinity", "+inf", "nan", "NaN"),
    ],
    # YAML 1.1 counts in sixties: 12:30 is 750.
    "times in base sixty": [
        *("12:30", "12:30:45", "1:2", "190:20:30", "-12:30", "+12:30", "1:60", "12:30.5", "1_2:30", "00:00"),
    ],
    "dates": [
        *("2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5"),
        *("2001-12-14T21:59:43Z", "2001-12", "20011214", "2001-13-40", "12-14-2001", "0000-00-00"),
    ],
    "merge and default keys": ["<<", "=", "<<:", "<", "<=", "==", "<< x"],
    # Each character that means something somewhere: alone, before, inside and after text.
    "indicators": [
        text
        for sign in "-?:,[]{}#&*!|>'\"%@`~$\\/^;()="
        for text in (sign, f"{sign}a", f"{sign} a", f"a{sign}b", f"a {sign} b", f"a{sign}")
    ],
    "indicators in pairs": [
        *("a: b", "a:b", "a :b", "a : b", ": a", "a:", "a: ", "a #b", "a# b", "a #", "#", "# a", "- a", "- "),
        *("-- a", "[a]", "[a", "a]", "{a: b}", "{}", "[]", "a, b", "? a", "&a b", "*a", "!a b", "!!str a"),
        *("!", "| a", ">-", "|-", "{{ a }}", "${A}", "$(A)", "$$(A)", "@a", "`a`", "%a", "a ? b : c", "a::b"),
        *("http://a:80/b?c=d#e", "key: |"),
    ],
    "quotes and backslashes": [
        *("'", "''", "'''", '"', '""', "'a'", '"a"', "a'b", 'a"b', "it's", "'a", "a'", '"a', 'a"', "\\"),
        *("\\\\", "\\n", "\\x41", "\\u0041", "a\\", "\\'", '\\"', "'\"", "C:\\temp\\new", '{"a": "b"}'),
        *("'a': b", "a'' b", "%20", "\\/"),
    ],
    "blanks and tabs": [
        *(" ", "  ", " a", "a ", " a ", "  a  b  ", "a  b", "\t", "\ta", "a\t", "a\tb", " \t ", "a \tb"),
        *("a\t#b", "a:\tb", "-\ta", "?\ta", "\t- a", "a \t"),
    ],
    # At the beginning of a line these end the document.
    "document markers": [
        *("---", "...", "--- a", "... a", "---a", "...a", "----", "....", "-- -", "%TAG ! !", "%YAML 1.1"),
        *("---\n", "...\n", "a\n---\nb", "a\n...\nb", "---\na: b", "a\n%b"),
    ],
    "line breaks": [
        *("\n", "\n\n", "\n\n\n", "a\n", "a\n\n", "a\n\n\n", "\na", "\n\na", "a\nb", "a\nb\n", "a\n\nb"),
        *("a\n\n\nb\n", "\na\n", " a\nb", "a\n b", "a\n  b\nc", "a\nb ", "a\nb \n", "a \nb", "a\n \nb"),
        *("a\n  \n", "a\n ", " \na", "\n a\nb", "  \n  ", "\r", "\r\n", "a\rb", "a\r\nb\r\n", "a\r"),
        *("a\n\rb", "a\tb\nc", "\ta\nb", "a\n\tb", "a\n\t", "a\nb\t", "- a\n- b", "a: b\nc: d\n", "# a\nb"),
        *("a\n# b\n", "a\n#\n", "a #b\nc", "'a\nb'", '"a\nb"', "| a\nb", "> a\n\nb\n", "a\n- b\n-\n"),
        *("#!/bin/sh\nset -eu\necho \"$A\" 'b' \\\n  c\n", "y\nn\n", "1\n2", "a:\n  b: [c,\n", "?\n:\n", "\\\n"),
        *("\\\n"),
    ],
    # YAML 1.1 breaks lines at U+2028 and U+2029 too; a byte order mark may begin a document only.
    "unicode": [
        *("\xa0", "\xa0a", "a\xa0", "a\u2028b", "\u2028", "a\u2029b", "a\nb\u2028c", "\ufeff", "\ufeffa"),
        *("a\ufeff", "a\ufeffb", "ä", "e\u0301", "\u0301", "日本語", "한국어", "ｙｅｓ", "١٢٣", "²", "\u05d0\u05d1"),
        *("\u202ea\u202c", "\u200b", "\u200f", "😀", "👩\u200d👩\u200d👧", "🇯🇵", "\U0001d11e", "\U0010ffff"),
        *("\ue000", "\ufffd", "\ud7ff", "…", "–", "«a»", "naïve: x", "é #x", "😀\n", "😀\n😀", "日\n本\n"),
        *("\u3000a", "a\u2003", "\xad"),
    ],
    "flags": [
        *("-", "--", "-f", "-f x", "--x", "--x=y", "--x y", "-1x", "-A", "--A", "---x", "-.x", "-_", "--no"),
        *("-y", "-x:", "-x: y"),
    ],
    "plain words of manifests": [
        *("1.14.2", "v1", "500m", "1.5Gi", "10.0.0.0/16", "10.0.0.1", "::1", "fe80::1", "fd00::/8"),
        *("1.2.3.4:80", ":8080", "0.0.0.0", "1.11.4", "0.5.2-local", "30 2 * * *", "*/5 * * * *", "@daily"),
        *("@sha256:0a1b", "a@b.example", "25921e0", "1a2b3c4", "7e77777", "0123456", "00e1", "1d", "10s"),
        *("1h30m", "50%", "%", "1/2", "1-2", "+1 234", "0.1.0", "apps/v1", "Kind", "a.b/c", "a=b,c!=d"),
        *("a in (b)", "*.a.example", "/", "/a", "./a", "~/a", "$patch", "[rest]"),
    ],
}  # fmt: skip

TEXTS: list[str] = list(dict.fromkeys(text for group in GROUPS.values() for text in group))
KEYS: list[str] = [text for text in TEXTS if text != "<<"]

LONG: list[str] = [
    "a" * 2000,
    "a b " * 30_000,
    "1" * 5000,
    ": " * 600,
    "'" * 1500,
    "😀" * 1500,
    " " * 3000,
    "line\n" * 5000,
    ("word " * 300 + "\n") * 20,
    "\n".join("x" * n for n in range(100)),
]

REFUSED: list[str] = [
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"),
    # Among them U+0085, a line break of YAML 1.1: kustomize writes it bare, and reads a blank.
    *(chr(code) for code in range(0x7F, 0xA0)),
    "\ud800",
    "\udc00",
    "\udfff\ud800",
    "\ufffe",
    "\uffff",
    "before\x00",
    "\x1b[31mred",
    "first line\nsecond \x07 line",
    "emoji 😀\x08",
    "a\ud83d",
]
