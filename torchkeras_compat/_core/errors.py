"""One form for every error: who, what was expected, what came, and what to write instead."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def did_you_mean(word: str, known: Iterable[str], fallback: int = 8) -> str:
    """Return «did you mean» for the names closest to `word`, or the known names when none is close."""
    names = list(dict.fromkeys(known))
    if close := closest(word, names):
        return f"did you mean {' or '.join(map(repr, close))}?"
    names.sort()
    shown = ", ".join(names[:fallback]) + (", …" if len(names) > fallback else "")
    return f"known are: {shown}."


def closest(word: str, known: Iterable[str]) -> list[str]:
    """Return the names that `word` may be meant for."""
    names = list(known)
    folded = {name.lower(): name for name in reversed(names)}  # of two spellings the first one is shown
    return [folded[name] for name in difflib.get_close_matches(word.lower(), folded, n=3, cutoff=0.6)]


class UnknownName(ValueError):
    """A name that nothing is registered under.

    Args:
        kind: What was looked for, `'activation'`.
        name: The name.
        hint: «did you mean».
        place: Where it was written, `"Dense(activation='rellu')"`.
    """

    def __init__(self, kind: str, name: str, hint: str, place: str = "") -> None:
        super().__init__(f"{place}{': ' if place else ''}unknown {kind} {show(name)}: {hint}")
        self.kind, self.name, self.hint, self.place = kind, name, hint, place

    def at(self, owner: str, arguments: Mapping[str, Any]) -> UnknownName:
        """Return the error with the call and the argument that held the name, where that is not known yet."""
        for argument, value in arguments.items():
            written = value == self.name if isinstance(value, str) else _holds(value, self.name)
            if written and not self.place:
                return UnknownName(self.kind, self.name, self.hint, f"{owner}({argument}={show(value)})")
        return self


def _holds(value: object, name: str) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(item, str) and item == name for item in value)


def and_list(items: Iterable[object]) -> str:
    """Return `a, b and c`."""
    texts = [str(item) for item in items]
    return " and ".join(part for part in (", ".join(texts[:-1]), *texts[-1:]) if part)


def show(value: object, limit: int = 60) -> str:
    """Return a short `repr` for a message; arrays are shown by type and shape."""
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, type):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    if isinstance(value, (tuple, list)) and any(hasattr(item, "shape") for item in value):
        text = ", ".join(show(item) for item in value)
        text = f"({text})" if isinstance(value, tuple) else f"[{text}]"
        return text if len(text) <= 2 * limit else text[: 2 * limit - 1] + "…"
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} of too many levels"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def misfit(who: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the arguments of a call, `None` where they fit the signature.

    Args:
        who: What the caller wrote: `'Conv2D'`, and not the base whose constructor it shares.
        signature: The signature, without `self`.
        args: The positional arguments.
        kwargs: The keyword arguments.
    """
    parameters = list(signature.parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(args) > len(positional) and not variadic:
        names = ", ".join(p.name for p in positional)
        limit = (
            f"at most {len(positional)} arguments without a name, {names}" if positional else "arguments by name only"
        )
        return f"{who}(…): it takes {limit}; got {len(args)} without a name: {show(tuple(args))}."
    if twice := [p.name for p in positional[: len(args)] if p.name in kwargs]:
        return f"{who}({twice[0]}={show(kwargs[twice[0]])}): {twice[0]} is there already, in its place; give it once."
    needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    without = [p.name for p in needed if p.name not in kwargs and p not in positional[: len(args)]]
    if without:
        listed, verb = " and ".join(without), "is" if len(without) == 1 else "are"
        return f"{who}: {listed} {verb} missing; write {who}({', '.join(f'{p.name}=…' for p in needed)})."
    return None


def argument_error(owner: str, argument: str, expected: str, got: Any, kind: type[Exception] = ValueError) -> Exception:
    """Build an error such as `Dense(units=-3): units must be a positive integer; got -3.`."""
    return kind(f"{owner}({argument}={show(got)}): {argument} must be {expected}; got {show(got)}.")


def positive_int(owner: str, argument: str, value: Any) -> int:
    """Return `value` as an int, or raise when it is no positive integer; whole floats such as `64 / 2` count."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise argument_error(owner, argument, "a positive integer", value, TypeError)
    if (number := int(value.__index__())) <= 0:
        raise argument_error(owner, argument, "a positive integer", value)
    return number


def int_tuple(owner: str, argument: str, value: Any, n: int, minimum: int = 1) -> tuple[int, ...]:
    """Return `value`, an integer or `n` of them, as a tuple of `n` integers of at least `minimum`."""
    items = (
        tuple(value) if isinstance(value, (tuple, list)) or (hasattr(value, "tolist") and value.ndim) else (value,) * n
    )
    adjective = "positive integer" if minimum == 1 else f"integer ≥ {minimum}"
    expected = f"a {adjective} or a tuple of {n} of them" if n > 1 else f"a {adjective}"
    whole = all(hasattr(item, "__index__") and not isinstance(item, bool) for item in items)
    if len(items) != n or not whole or any(int(item) < minimum for item in items):
        raise argument_error(owner, argument, expected, value)
    return tuple(int(item) for item in items)


def axis_tuple(
    owner: str,
    value: Any,
    argument: str = "axis",
    expected: str = "an integer or a list of integers",
    least: int = 1,
) -> tuple[int, ...]:
    """Return `value`, an axis or at least `least` of them, as a tuple."""
    items = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(items) < least or any(isinstance(item, bool) or not hasattr(item, "__index__") for item in items):
        raise argument_error(owner, argument, expected, value, TypeError)
    return tuple(int(item) for item in items)


def fraction(owner: str, argument: str, value: Any, *, one_allowed: bool = True) -> float:
    """Return `value` as a float in [0, 1], or raise."""
    limit = "[0, 1]" if one_allowed else "[0, 1)"
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "__float__")):
        raise argument_error(owner, argument, f"a number in {limit}", value, TypeError)
    number = float(value)
    if not 0 <= number <= 1 or (number == 1 and not one_allowed):
        raise argument_error(owner, argument, f"a number in {limit}", value)
    return number


def number(owner: str, argument: str, value: Any, minimum: float = -math.inf) -> float:
    """Return `value` as a finite float of at least `minimum`, or raise."""
    expected = "a number" if minimum == -math.inf else f"a number ≥ {minimum:g}"
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise argument_error(owner, argument, expected, value, TypeError)
    if not math.isfinite(float(value)) or float(value) < minimum:
        raise argument_error(owner, argument, expected, value)
    return float(value)


def choice(owner: str, argument: str, value: Any, allowed: Iterable[str]) -> str:
    """Return `value` in lower case when it is one of `allowed`, or raise with «did you mean»."""
    options = list(allowed)
    if isinstance(value, str) and value.lower() in options:
        return value.lower()
    hint = f" {did_you_mean(value, options)}" if isinstance(value, str) else ""
    listed = ", ".join(map(repr, options))
    raise ValueError(f"{owner}({argument}={show(value)}): {argument} must be one of {listed}; got {show(value)}.{hint}")
