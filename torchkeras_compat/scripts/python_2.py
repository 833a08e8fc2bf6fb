"""What in a script is Python 2, and what to write: read from its text, which Python 3 may be unable to parse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# Where the parts of a text end; strings and comments are parts of their own, so that nothing is looked for in them.
PARTS = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>(?P<prefix>[bBrRuU]{0,2})(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"
        |'(?:\\.|[^\\\n'])*'|"(?:\\.|[^\\\n"])*"))
    |(?P<number>\.?\d(?:[eE][+-]|[\w.])*)
    |(?P<name>[^\W\d]\w*)
    |(?P<joined>\\\r?\n)
    |(?P<end>\n)
    |(?P<space>[ \t\r\f]+)
    |(?P<sign>>>|<>|.)""",
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = "([{", ")]}"

# A name of Python 2 → what to write.
NAMES: Mapping[str, str] = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
    "execfile": "exec(open(path).read())",
    "reduce": "functools.reduce",
    "reload": "importlib.reload",
}
# A method, or a name of a module → what to write.
ATTRIBUTES: Mapping[str, str] = {
    ".has_key(": "key in dictionary",
    ".iteritems(": ".items()",
    ".iterkeys(": ".keys()",
    ".itervalues(": ".values()",
    "sys.maxint": "sys.maxsize",
    "sys.setdefaultencoding": "nothing: text is Unicode",
    "os.getcwdu": "os.getcwd",
    "itertools.izip": "zip",
    "itertools.imap": "map",
    "itertools.ifilter": "filter",
    "itertools.izip_longest": "itertools.zip_longest",
    "string.letters": "string.ascii_letters",
    "string.lowercase": "string.ascii_lowercase",
    "string.uppercase": "string.ascii_uppercase",
    "string.maketrans": "str.maketrans",
    "string.join": "separator.join(words)",
    "urllib.urlopen": "urllib.request.urlopen",
    "urllib.urlretrieve": "urllib.request.urlretrieve",
    "urllib.urlencode": "urllib.parse.urlencode",
    "urllib.quote": "urllib.parse.quote",
    "urllib.unquote": "urllib.parse.unquote",
}


class Part(NamedTuple):
    """A part of a text: a name, a sign, a string or a number."""

    kind: str
    text: str
    start: int
    end: int


class Remark(NamedTuple):
    """One thing of Python 2: its line, how it stands there, and what to write."""

    line: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


def remarks(text: str) -> list[Remark]:
    r"""Return what in a text is Python 2.

    Args:
        text: The source.

    Example:
        >>> remarks("for i in xrange(3):\n    print i, 'times'")
        [Remark(line=1, old='xrange', new='range'), Remark(line=2, old="print i, 'times'", new="print(i, 'times')")]
    """
    statements = list(_statements(text))
    own = {name for statement in statements for name in _bound(statement)}
    all_remarks = [one for statement in statements for one in (*_spelt(text, statement), *_named(statement, own))]
    return list(
        dict.fromkeys(Remark(text.count("\n", 0, start) + 1, old, new) for start, old, new in sorted(all_remarks))
    )


Replacement = tuple[int, str, str]  # where in the text, how it stands there, what to write


def _statements(text: str) -> Iterator[list[Part]]:
    """Yield the parts of each simple statement, and of the head of each compound one."""
    statement: list[Part] = []
    depth = 0
    for match in PARTS.finditer(text):
        part = Part(str(match.lastgroup), match.group(), match.start(), match.end())
        if part.kind == "prefix":
            part = part._replace(kind="string")
        if part.text in OPENING:
            depth += 1
        elif part.text in CLOSING:
            depth = max(depth - 1, 0)
        if part.kind == "end" and depth:
            continue
        if part.kind == "end" or (not depth and part.text in (":", ";")):
            yield statement
            statement = []
        elif part.kind not in ("comment", "space", "joined"):
            statement.append(part)
    yield statement


def _bound(statement: list[Part]) -> Iterator[str]:
    """Yield the names that a statement gives a meaning of the script's own."""
    words = [part.text for part in statement]
    if "import" in words:
        imported = words[words.index("import") + 1 :]
        yield from (word for word, after in zip(imported, [*imported[1:], ""]) if after != "as")
    for before, word, after in zip(["", *words], words, [*words[1:], ""]):
        if after == "=" or before in ("def", "class", "for", "as"):
            yield word


# What stands behind the name `print` in an expression of Python 3.
_BEHIND_A_NAME = frozenset("( = . , ) ] } [ : % * / + - & | ^ < ! @ and or in is not if else for".split())


def _spelt(text: str, statement: list[Part]) -> Iterator[Replacement]:
    """Yield what Python 3 cannot read."""
    if not statement:
        return
    first, *rest = statement
    whole = _source(text, statement)
    if first.text == "print" and rest and rest[0].text not in _BEHIND_A_NAME:
        yield first.start, whole, _printed(text, rest)
    elif first.text == "exec" and rest and rest[0].text not in _BEHIND_A_NAME:
        yield first.start, whole, f"exec({_source(text, rest)})"
    elif first.text in ("except", "raise") and (comma := _comma(rest)):
        kind, behind = _source(text, rest[:comma]), rest[comma + 1 :]
        caught = first.text == "except"
        yield first.start, whole, f"except {kind} as {_source(text, behind)}" if caught else _raised(text, kind, behind)
    for part in statement:
        if part.text == "<>":
            yield part.start, "<>", "!="
        elif part.text == "`":
            yield part.start, "`…`", "repr(…)"
        elif part.kind == "number" and re.fullmatch(r"\d+[lL]|0\d*[1-9]\d*", part.text):
            number = part.text.rstrip("lL")
            yield part.start, part.text, number if number != part.text else f"0o{number.lstrip('0')}"
        elif part.kind == "string" and part.text[:2].lower() == "ur":
            yield part.start, f"{part.text[:2]}'…'", "r'…'"


def _source(text: str, parts: list[Part]) -> str:
    """Return parts as they stand in the text, on one line."""
    if not parts:
        return ""
    return " ".join(text[parts[0].start : parts[-1].end].replace("\\\n", " ").split())


def _raised(text: str, kind: str, behind: list[Part]) -> str:
    """Return the statement `raise kind, value, traceback`, whose traceback may be missing."""
    comma = _comma(behind)
    value, frames = behind[:comma] if comma else behind, behind[comma + 1 :] if comma else []
    made = kind if value[0].text == "None" else f"{kind}({_source(text, value)})"
    return f"raise {made}.with_traceback({_source(text, frames)})" if frames else f"raise {made}"


def _comma(parts: list[Part]) -> int:
    """Return the place of a comma outside of brackets; 0 where there is none."""
    depth = 0
    for i, part in enumerate(parts[:-1]):
        depth += (part.text in OPENING) - (part.text in CLOSING)
        if part.text == "," and not depth:
            return i
    return 0


def _printed(text: str, parts: list[Part]) -> str:
    """Return the call of `print` for what stands behind the word."""
    options = ""
    if parts[0].text == ">>":
        comma = _comma(parts) or len(parts)
        options = f", file={_source(text, parts[1:comma])}"
        parts = parts[comma + 1 :]
    if parts and parts[-1].text == ",":
        parts, options = parts[:-1], f", end=' '{options}"
    printed = _source(text, parts)
    return f"print({printed}{options})" if printed else f"print({options.removeprefix(', ')})"


def _named(statement: list[Part], own: set[str]) -> Iterator[Replacement]:
    """Yield names that Python 3 has not."""
    words = ["", *(part.text for part in statement), "", ""]
    for i, part in enumerate(statement, 1):
        before, after = words[i - 1], words[i + 1]
        if part.kind != "name" or before in ("def", "class") or (after == "=" and words[i + 2] != "="):
            continue
        if before == "." and (new := ATTRIBUTES.get(f".{part.text}{after}")):
            yield part.start, f".{part.text}()", new
        elif after == "." and (new := ATTRIBUTES.get(f"{part.text}.{words[i + 2]}")):
            yield part.start, f"{part.text}.{words[i + 2]}", new
        elif before != "." and part.text in NAMES and part.text not in own:
            yield part.start, part.text, NAMES[part.text]
