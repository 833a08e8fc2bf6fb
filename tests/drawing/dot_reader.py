"""Reads the part of the dot language that pictures of models are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

STATEMENT = re.compile(
    r'subgraph\s+(?P<frame>\w+)\s*\{|(?P<end>\})|(?P<from>\w+)\s*->\s*(?P<to>\w+);|(?P<box>\w+)\s*\[(?P<attributes>(?:"(?:\\.|[^"\\])*"|[^\]"])*)\];'
    r'|(?P<key>\w+)=(?P<value>"(?:\\.|[^"\\])*"|[^;]*);'
)


@dataclass
class Read:
    """A graph or a frame."""

    attributes: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, Any] = field(default_factory=dict)  # name → its fields
    arrows: list[tuple[str, str]] = field(default_factory=list)
    frames: list[Read] = field(default_factory=list)

    def all_boxes(self) -> dict[str, Any]:
        boxes = dict(self.boxes)
        for frame in self.frames:
            boxes.update(frame.all_boxes())
        return boxes

    def all_arrows(self) -> list[tuple[str, str]]:
        return [*self.arrows, *(arrow for frame in self.frames for arrow in frame.all_arrows())]

    def structure(self) -> Any:
        """Return all that counts, with boxes by what they tell."""
        fields = {name: (list(self.all_boxes()).index(name), record) for name, record in self.all_boxes().items()}
        arrows = sorted(set(self.all_arrows()), key=lambda arrow: [fields[end][0] for end in arrow])
        return (
            list(fields.values()),
            [(fields[source], fields[target]) for source, target in arrows],
            [(frame.attributes["label"], [fields[name] for name in frame.all_boxes()]) for frame in self.all_frames()],
        )

    def all_frames(self) -> list[Read]:
        return [inner for frame in self.frames for inner in (frame, *frame.all_frames())]


def read(text: str) -> Read:
    """Read a whole text; anything that is not understood is an error."""
    head = re.match(r"\s*digraph G \{", text)
    assert head is not None, text
    stack, place = [Read()], head.end()
    while stack:
        match = STATEMENT.match(text, place := place + len(re.match(r"\s*", text[place:])[0]))  # type: ignore[index]
        assert match is not None, text[place : place + 80]
        place, part = match.end(), match.groupdict()
        if part["frame"]:
            stack[-1].frames.append(inner := Read())
            stack.append(inner)
        elif part["end"]:
            last = stack.pop()
        elif part["from"]:
            stack[-1].arrows.append((part["from"], part["to"]))
        elif part["key"]:
            stack[-1].attributes[part["key"]] = unquoted(part["value"])
        elif part["box"] == "node":
            stack[-1].attributes["node"] = part["attributes"]
        else:
            stack[-1].boxes[part["box"]] = fields_of(unquoted(part["attributes"].removeprefix("label=")))
    assert not text[place:].strip(), text[place:]
    return last


def unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


def fields_of(label: str) -> Any:
    """Return the fields of a record as nested lists, a list of one being that one."""
    tokens = re.findall(r"\\.|[{}|]|[^\\{}|]+", label)

    def fields() -> Any:
        parts: list[Any] = [""]
        while tokens and tokens[0] != "}":
            token = tokens.pop(0)
            if token == "|":
                parts.append("")
            elif token == "{":
                parts[-1] = fields()
                tokens.pop(0)
            else:
                parts[-1] += token.removeprefix("\\")
        return parts[0] if len(parts) == 1 else parts

    result = fields()
    assert not tokens, label
    return result
