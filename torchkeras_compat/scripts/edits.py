"""Changes of a text at the places that its syntax tree names; everything between them stays as it is."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

LINE_END = re.compile(rb"\r\n|\r|\n")
Node = ast.stmt | ast.expr | ast.keyword | ast.alias


@dataclass
class Edits:
    """A text and what is to be changed in it; places are offsets in its UTF-8 form, as those of `ast` are."""

    text: str
    changes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = self.text.encode()
        self.lines = [0, *(match.end() for match in LINE_END.finditer(self.data))]

    def span(self, node: Node) -> tuple[int, int]:
        """Return where a node begins and ends.

        Args:
            node: The node.
        """
        line, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.lines[node.lineno - 1] + node.col_offset, self.lines[line - 1] + column

    def source(self, node: Node) -> str:
        """Return the text of a node.

        Args:
            node: The node.
        """
        start, end = self.span(node)
        return self.data[start:end].decode()

    def stands(self, node: ast.expr) -> bool:
        """Tell whether an expression is where its node says: before Python 3.12 those in f-strings may not be.

        Args:
            node: The expression.
        """
        try:
            return ast.dump(ast.parse(f"({self.source(node)})", mode="eval").body) == ast.dump(node)
        except (SyntaxError, ValueError):
            return False

    def replace(self, start: int, end: int, new: str) -> None:
        """Put something in the place of what stands there; what is put into one place twice stands in that order.

        Args:
            start: Where it begins.
            end: Where it ends.
            new: What is to stand there.
        """
        before = self.changes.get((start, end), b"") if start == end else b""
        self.changes[start, end] = before + new.encode()

    def replace_node(self, node: Node, new: str) -> None:
        """Put something in the place of a node, unless it is the same.

        Args:
            node: The node.
            new: What is to stand there.
        """
        if self.source(node) != new:
            self.replace(*self.span(node), new)

    def remove_lines(self, node: ast.stmt) -> None:
        """Take a statement out with its lines, which hold nothing else; a comment behind it goes, too.

        Args:
            node: The statement.
        """
        ends = [*self.lines, len(self.data)]
        self.replace(self.lines[node.lineno - 1], ends[node.end_lineno or node.lineno], "")

    def stands_alone(self, node: ast.stmt) -> bool:
        """Tell whether nothing else is on the lines of a statement.

        Args:
            node: The statement.
        """
        start, end = self.span(node)
        before = self.data[self.lines[node.lineno - 1] : start]
        behind = LINE_END.split(self.data[end:], maxsplit=1)[0].strip()
        return not before.strip() and (not behind or behind.startswith(b"#"))

    def result(self) -> str:
        """Return the text with all changes."""
        parts, at = [], 0
        for (start, end), new in sorted(self.changes.items()):
            parts += [self.data[at:start], new]
            at = end
        return b"".join((*parts, self.data[at:])).decode()
