"""The text of a module: names of variables, lines and line breaks as a formatter would have them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

from . import loss_functions, modules, optimizer_classes, picture_modules
from .emission import Emission, Step, Value, in_brackets, unused

WIDTH = 88
HELPERS = {
    name: helper
    for room in (modules, picture_modules, loss_functions, optimizer_classes)
    for name, helper in vars(room).items()
    if getattr(helper, "__module__", None) == room.__name__
}


# --- lines -----------------------------------------------------------------------------------------------------------


def statement(code: str, indent: int, comment: str = "") -> list[str]:
    """Return a statement in lines of at most `WIDTH` characters.

    Args:
        code: The statement in one line.
        indent: The number of spaces before it.
        comment: What stands behind it, or above it where there is no room.
    """
    space = " " * indent
    line = space + code
    if comment and len(line) + len(comment) + 4 <= WIDTH:
        return [f"{line}  # {comment}"]
    above = [f"{space}# {comment}"] if comment else []
    return [*above, *broken(code, indent)]


def broken(code: str, indent: int, tail: str = "") -> list[str]:
    """Return code in lines, broken where a formatter breaks it: at brackets, or between the terms of an expression."""
    space = " " * indent
    if len(space) + len(code) + len(tail) <= WIDTH:
        return [space + code + tail]
    before, expression = _parts(code)
    if len(split(before)) > 1 and len(space) + len(before) + 3 > WIDTH:  # targets in a row
        targets = [f"{space}    {target}," for target in split(before.removesuffix(" = "))]
        return [f"{space}(", *targets, f"{space}) = {expression}{tail}"]
    if before and len(split(expression)) > 1:
        return [f"{space}{before}(", *_items(expression, indent + 4), f"{space}){tail}"]
    terms = _terms(expression)
    at_brackets = len(terms) == 1 or (len(terms) == 2 and expression[-1] in ")]")
    pair = _last_fitting(before, expression, indent) if at_brackets else None
    if pair is None and before:
        inner = [f"{space}    {expression}"]
        if len(inner[0]) > WIDTH:
            inner = [line for term in terms for line in broken(term, indent + 4)]
        return [f"{space}{before}(", *inner, f"{space}){tail}"]
    if pair is None:
        return [space + code + tail]
    start, end = pair
    head, body, close = code[: start + 1], code[start + 1 : end], code[end:]
    if indent + 4 + len(body) <= WIDTH and not body.endswith(","):
        return [space + head, f"{space}    {body}", space + close + tail]
    if len(split(body)) == 1 and not re.search(r"[\w\])]\($", head):  # a comma would make a tuple of it
        inner = [line for term in _terms(body) for line in broken(term, indent + 4)]
        return [space + head, *inner, space + close + tail]
    return [space + head, *_items(body, indent + 4), space + close + tail]


def _parts(code: str) -> tuple[str, str]:
    """Return what stands before an expression, `x = ` or `return `, and the expression."""
    if code.startswith("return "):
        return "return ", code[len("return ") :]
    depth = 0
    for i, character in enumerate(code):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and code.startswith(" = ", i):
            return code[: i + 3], code[i + 3 :]
    return "", code


def _items(body: str, indent: int) -> list[str]:
    return [line for item in split(body) for line in broken(item, indent, ",")]


def _last_fitting(before: str, expression: str, indent: int) -> tuple[int, int] | None:
    """Return the last outermost brackets up to which a line has room; without anything before it, the last at all."""
    pairs = [(start + len(before), end + len(before)) for start, end in _brackets(expression)]
    fitting = [pair for pair in pairs if indent + pair[0] + 1 <= WIDTH]
    return next(iter([*fitting[-1:], *([] if before else pairs[-1:])]), None)


def _brackets(code: str) -> list[tuple[int, int]]:
    """Return where the outermost brackets with something between them begin and end."""
    stack: list[int] = []
    pairs = []
    for i, character in enumerate(code):
        if character in "([{":
            stack.append(i)
        elif character in ")]}":
            start = stack.pop()
            if not stack and i > start + 1:
                pairs.append((start, i))
    return pairs


def _terms(expression: str) -> list[str]:
    """Return the terms of an expression, each but the first with the operator before it."""
    for operators in ((" + ", " - "), (" * ", " / ", " @ "), (" & ",)):
        places = [
            i
            for i in _outside_brackets(expression)
            if any(expression.startswith(operator, i) for operator in operators)
        ]
        if places:
            ends = [*places, len(expression)]
            return [expression[a:b].strip() for a, b in zip([0, *places], ends)]
    return [expression]


def split(body: str) -> list[str]:
    """Return the items between commas that stand in no inner brackets."""
    commas = [i for i in _outside_brackets(body) if body[i] == ","]
    items = [body[a:b].strip(", ") for a, b in zip([0, *commas], [*commas, len(body)])]
    return [item for item in items if item]


def _outside_brackets(code: str) -> list[int]:
    """Return the places in a line that stand in no brackets and no text in quotes."""
    depth, places, quoted = 0, [], False
    for i, character in enumerate(code):
        quoted ^= character == '"'
        depth += 0 if quoted else (character in "([{") - (character in ")]}")
        if depth == 0 and not quoted:
            places.append(i)
    return places


def shape_comment(value: Value) -> str:
    """Return the shape of a value as a comment has it."""
    sizes = ["?" if n is None else str(n) for n in value.own_shape]
    if sizes and value.own_shape[0] is None:
        sizes[0] = "N"
    return in_brackets(sizes)


# --- the forward pass ------------------------------------------------------------------------------------------------


def needed(steps: Sequence[Step], outputs: Iterable[Value]) -> list[Step]:
    """Return the steps that the outputs follow from."""
    wanted = set(outputs)
    kept = []
    for step in reversed(steps):
        if not wanted.isdisjoint(step.outputs):
            kept.append(step)
            wanted |= set(step.inputs)
    return kept[::-1]


class Names:
    """Names of variables: a name is used again once nothing needs the value that it stood for.

    Args:
        steps: The steps.
        outputs: What is needed at the end.
    """

    def __init__(self, steps: Sequence[Step], outputs: Sequence[Value]) -> None:
        self.last_use = {value: i for i, step in enumerate(steps) for value in step.inputs}
        self.last_use.update(dict.fromkeys(outputs, len(steps)))
        self.held: dict[str, int] = {}
        self.names: dict[Value, str] = {}

    def give(self, value: Value, step: int) -> str:
        """Name a value that comes to be at a step."""
        busy = {name for name, until in self.held.items() if until > step}
        name = unused(value.hint, busy)
        self.held[name] = self.last_use.get(value, step)
        self.names[value] = name
        return name

    def of(self, value: Value) -> str:
        """Return the name of a value."""
        return self.names[value]

    def is_used(self, value: Value) -> bool:
        """Tell whether a step or the end needs a value."""
        return value in self.last_use


def body(
    steps: Sequence[Step], inputs: Sequence[Value], outputs: Sequence[Value], keys: Sequence[str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the names of the inputs, and the lines of the steps with the `return`, of a dictionary where `keys`."""
    names = Names(steps, outputs)
    parameters = [names.give(value, -1) for value in inputs]
    lines: list[str] = []
    pending: tuple[Value, str] | None = None  # a value whose expression the next step may stand around
    for i, step in enumerate(steps):
        texts = [pending[1] if pending and pending[0] is v else names.of(v) for v in step.inputs]
        expression = step.expression.format(*texts)
        pending = None
        if _joins(steps, i, outputs):
            pending = (step.outputs[0], expression)
            continue
        targets = [names.give(v, i) if names.is_used(v) else "_" for v in step.outputs]
        target = re.sub(r"\((_, )*_,?\)", "_", step.target.format(*targets))
        comment = shape_comment(next(filter(names.is_used, step.outputs)))
        lines += statement(f"{target} = {expression}", 8, comment)
    results = [names.of(value) for value in outputs]
    return parameters, [*lines, *statement(f"return {_arranged(results, keys)}", 8)]


def _arranged(results: Sequence[str], keys: Sequence[str] | None) -> str:
    """Return results as the model gives them: one, several or a dictionary."""
    if keys is None:
        return ", ".join(results)
    return "{" + ", ".join(f'"{key}": {result}' for key, result in zip(keys, results)) + "}"


def _joins(steps: Sequence[Step], i: int, outputs: Sequence[Value]) -> bool:
    """Tell whether a step stands inside the next one's expression: an activation around what it activates."""
    step = steps[i]
    if i + 1 == len(steps) or len(step.outputs) != 1 or not step.module:
        return False
    (value,), following = step.outputs, steps[i + 1]
    users = sum(other.inputs.count(value) for other in steps)
    alone = users == 1 and following.inputs == (value,) and value not in outputs
    return alone and following.nests and following.expression.count("{0}") == 1


# --- the module ------------------------------------------------------------------------------------------------------


def module_lines(emission: Emission, name: str, doc: str, of_logits: Sequence[bool] = ()) -> list[str]:
    """Return the class of a model in lines.

    Args:
        emission: What is written down of the model.
        name: The name of the class.
        doc: Its docstring.
        of_logits: For each output whether `logits` gives what its last step, an activation, is applied to.
    """
    steps = needed(emission.steps, emission.outputs)
    lines = [f"class {name}(nn.Module):", f'    """{doc}"""', "", "    def __init__(self) -> None:"]
    lines.append("        super().__init__()")
    for attribute, module in emission.modules.items():
        lines += statement(f"self.{attribute} = {module.constructor}", 8, module.note)
        lines += [f"        self.{frozen}.requires_grad_(False)" for frozen in module.frozen_names(attribute)]
        for zero in module.zero:
            lines += statement(f"self.{attribute}.{zero}.requires_grad_(False).zero_()", 8, "Keras has no such bias")
    lines.append("")
    if not any(of_logits):
        return [*lines, *_method("forward", *body(steps, emission.inputs, emission.outputs, emission.output_keys))]
    ends = [emission.step_of(v) if activated else None for v, activated in zip(emission.outputs, of_logits)]
    before = [end.inputs[0] if end else v for end, v in zip(ends, emission.outputs)]
    lines += _method("logits", *body(needed(steps, before), emission.inputs, before))
    parameters = [value.hint for value in emission.inputs]
    return [*lines, "", *_forward_of_logits(parameters, emission, ends)]


def _method(name: str, parameters: Sequence[str], lines: Sequence[str]) -> list[str]:
    return [*statement(f"def {name}(self, {', '.join(parameters)}):", 4), *lines]


def _forward_of_logits(parameters: Sequence[str], emission: Emission, ends: Sequence[Step | None]) -> list[str]:
    outputs = emission.outputs
    names = [value.hint for value in outputs] if len(outputs) > 1 else ["x"]
    names = [unused(name, set(names[:i])) for i, name in enumerate(names)]
    call = f"self.logits({', '.join(parameters)})"
    if len(outputs) == 1 and ends[0] is not None and emission.output_keys is None:
        return _method("forward", parameters, statement(f"return {ends[0].expression.format(call)}", 8))
    lines = statement(f"{', '.join(names)} = {call}", 8)
    results = [end.expression.format(name) if end else name for name, end in zip(names, ends)]
    return _method("forward", parameters, [*lines, *statement(f"return {_arranged(results, emission.output_keys)}", 8)])


def helper_lines(code: str) -> list[str]:
    """Return the sources of what a text uses of the helpers, in the order in which they stand there."""
    wanted: set[str] = set()
    texts = [code]
    while texts:
        names = {name for name in HELPERS if re.search(rf"(?<![\w.]){name}(?=[()])", texts[0])} - wanted
        texts = [*texts[1:], *(inspect.getsource(HELPERS[name]) for name in names)]
        wanted |= names
    lines: list[str] = []
    for name in HELPERS:
        if name in wanted:
            lines += [*inspect.getsource(HELPERS[name]).rstrip().splitlines(), "", ""]
    return lines


def import_lines(code: str) -> list[str]:
    """Return the imports that a text needs."""
    lines = ["import math"] if re.search(r"\bmath\.", code) else []
    lines += ["import sys"] if re.search(r"\bsys\.", code) else []
    lines += ["from collections.abc import Iterable"] if re.search(r"\bIterable\b", code) else []
    lines += ["from typing import Any"] if re.search(r"\bAny\b", code) else []
    lines += [""] if lines else []
    lines += ["import torch"] if re.search(r"\btorch\.", code) else []
    if re.search(r"\bF\.", code):
        lines.append("import torch.nn.functional as F")
    lines.append("from torch import Tensor, nn" if re.search(r"\bTensor\b", code) else "from torch import nn")
    return lines


def with_imports(doc: str, lines: Sequence[str]) -> str:
    """Return a whole file: its docstring, its imports, the helpers it uses, and the lines."""
    text = "\n".join(lines)
    helpers = "\n".join(helper_lines(text))
    imports = "\n".join(import_lines(f"{helpers}\n{text}"))
    parts = [f'"""{doc}"""\n\n{imports}\n', f"\n\n{helpers.rstrip()}\n" if helpers else "", f"\n\n{text}\n"]
    return "".join(parts)
