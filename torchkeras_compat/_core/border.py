"""Old spellings of arguments become today's, in one place, from tables of data that `compat` hands over.

`translate` is applied where a call enters: every constructor of a `Configurable` and the methods marked `@entrance`.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .dialects import Dialect, current, of
from .errors import UnknownName, did_you_mean, misfit, show
from .ownership import is_ours

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Spelling:
    """What one old argument means.

    Attributes:
        new: The canonical argument; `None` when the old one has no effect any more.
        convert: Turns the old value into the new one; `None` leaves it.
        values: A table of old values and what they are called today.
        note: Added to the warning, or, with `refused`, what to write instead.
        quiet: No warning: the spelling is still the usual one in classic Keras.
        refused: The argument cannot be honoured; `note` names what to write.
        harmless: Values that go without effect; any other is refused like `refused`.
        also: Further canonical arguments that get the same value.
        place: Where the argument may stand by place, so that an old value there is converted, too.
        during: The method of the object called that returns, given the value, the context in which the call runs.
    """

    new: str | None
    convert: Callable[[Any], Any] | None = None
    values: Mapping[Any, Any] | None = None
    note: str = ""
    quiet: bool = False
    refused: bool = False
    harmless: tuple[Any, ...] | None = None
    also: tuple[str, ...] = ()
    place: int | None = None
    during: str | None = None

    @property
    def has_no_effect(self) -> bool:
        """Whether nothing stands for the argument any more, so that it may be left out."""
        return self.new is None and self.during is None and not self.refused


@dataclass(frozen=True)
class Gathered:
    """Several old arguments that make one new one: `nb_row, nb_col` → `kernel_size`."""

    old: tuple[str, ...]
    new: str


@dataclass(frozen=True)
class Positional:
    """Old positional integers that make one new argument: `Conv2D(32, 3, 3)` → `kernel_size=(3, 3)`.

    Attributes:
        first: Index of the first of them.
        count: How many there are.
        new: The canonical argument.
        conflicts: Canonical arguments that such a call must not give as well.
        rule: Name of the field of `Rules` that must be true for the table to apply.
        behind: Old names of the positional arguments behind them, where they are not those of today.
    """

    first: int
    count: int
    new: str
    conflicts: tuple[str, ...] = ()
    rule: str = "kernel_as_two_ints"
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputFirst:
    """The size of the input in front of that of the output, as Keras 0.1 and 0.2 have it: `Dense(784, 10)`.

    Attributes:
        count: With how many integers without a name a call is of that kind.
        refused: Why such a call is not read, with places for its integers; it is, if empty.
        rule: Name of the field of `Rules` that must be true for the table to apply.
    """

    count: int = 2
    refused: str = ""
    rule: str = "kernel_as_two_ints"


@dataclass(frozen=True)
class Reread:
    """A positional argument that counted something else: the 2000 of `fit_generator(generator, 2000)` were samples.

    Attributes:
        index: Its place.
        old: The old argument whose spelling says what it means.
        beside: Other old arguments that tell in any dialect that the call is an old one.
        rule: Name of the field of `Rules` that says so by itself.
    """

    index: int
    old: str
    beside: tuple[str, ...] = ()
    rule: str = "generators_count_samples"


@dataclass(frozen=True)
class Swapped:
    """Two positional arguments that stood the other way round: `K.categorical_crossentropy(output, target)`.

    Attributes:
        rule: Name of the field of `Rules` that says so.
    """

    rule: str


@dataclass
class Tables:
    """The tables of old spellings, by owner (a class's or `Class.method`'s name); filled by `compat`."""

    spellings: dict[str, Mapping[str, Spelling]]
    gathered: dict[str, tuple[Gathered, ...]]
    positional: dict[str, Positional]
    input_first: dict[str, InputFirst]
    reread: dict[str, tuple[Reread, ...]]
    swapped: dict[str, Swapped]
    functions: dict[str, str]  # old names of functions of the backend, and where each is found
    attributes: dict[str, Mapping[str, str]]  # old names of attributes that no argument has


TABLES = Tables({}, {}, {}, {}, {}, {}, {}, {})
_by_place: set[str] = set()  # owners of rows that concern arguments by place, which a call shows by nothing else
_warned: set[tuple[str, str]] = set()
_NOTHING = contextlib.nullcontext()
_quiet: contextvars.ContextVar[bool] = contextvars.ContextVar("quiet", default=False)
_listener: Callable[[str, str], None] | None = None


class KerasSpellingWarning(FutureWarning):
    """An old spelling was translated; shown once for each spelling in a process."""


def install(
    spellings: Mapping[str, Mapping[str, Spelling]],
    gathered: Mapping[str, tuple[Gathered, ...]],
    positional: Mapping[str, Positional],
    reread: Mapping[str, tuple[Reread, ...]] | None = None,
    swapped: Mapping[str, Swapped] | None = None,
    functions: Mapping[str, str] | None = None,
    attributes: Mapping[str, Mapping[str, str]] | None = None,
    input_first: Mapping[str, InputFirst] | None = None,
) -> None:
    """Take over tables of old spellings."""
    TABLES.input_first.update(input_first or {})
    TABLES.spellings.update(spellings)
    TABLES.gathered.update(gathered)
    TABLES.positional.update(positional)
    TABLES.reread.update(reread or {})
    TABLES.swapped.update(swapped or {})
    placed = {owner for owner, table in spellings.items() if any(s.place is not None for s in table.values())}
    _by_place.update(placed, TABLES.swapped)
    TABLES.functions.update(functions or {})
    TABLES.attributes.update(attributes or {})


def forget_warnings() -> None:
    """Let every translation warn again (tests use this)."""
    _warned.clear()


def called(owner: str) -> str:
    """Return what a caller calls `owner`: a method's tables go by `Class.method`, and the class may be one of ours."""
    return owner.rpartition(".")[2]


def warn_once(owner: str, old: str, text: str, new: str = "", written: str = "") -> None:
    """Warn about a translation, once in a process for each owner and spelling; a listener is told each time instead.

    Args:
        owner: What was called.
        old: The old argument.
        text: What it is today, for the warning.
        new: The same in a word or two, for a listener; the text if empty.
        written: What the call looks like, for a listener; the owner with the argument if empty.
    """
    if _quiet.get():
        return
    if _listener is not None:
        tell(written or f"{called(owner)}({old}=…)", new or text)
    elif (owner, old) not in _warned:
        _warned.add((owner, old))
        warnings.warn(f"{called(owner)}({old}=…): {text}", KerasSpellingWarning, stacklevel=user_stacklevel())


def tell(old: str, new: str) -> None:
    """Tell the listener, if there is one, of a translation, also of one that goes without a warning."""
    if _listener is not None and not _quiet.get():
        _listener(old, new)


@contextlib.contextmanager
def telling(listener: Callable[[str, str], None]) -> Iterator[None]:
    """Tell `listener` inside the `with` block of each translation, as (old, new), in place of warnings."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before


@contextlib.contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Translate without warnings inside the `with` block, or with them again: a file's old spellings are its own."""
    token = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(token)


def user_stacklevel() -> int:
    """Return the stacklevel of the first frame outside this package, so that a warning points at the user's line."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("torchkeras_compat"):
        frame, level = frame.f_back, level + 1
    return level


def translate(
    owner: str, args: tuple[Any, ...], kwargs: dict[str, Any], dialect: Dialect, known: frozenset[str] = frozenset()
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call in today's spelling.

    Args:
        owner: Whose tables apply.
        args: Positional arguments, without `self`.
        kwargs: Keyword arguments; not changed.
        dialect: Decides about positional forms and refused arguments.
        known: Arguments that the owner itself takes, which no table may rename.
    """
    kwargs = dict(kwargs)
    if (sizes := TABLES.input_first.get(owner)) and getattr(dialect.rules, sizes.rule):
        args, kwargs = _input_first(owner, sizes, args, kwargs)
    if (form := TABLES.positional.get(owner)) and getattr(dialect.rules, form.rule):
        args, kwargs = _positional(owner, form, args, kwargs)
    if (swap := TABLES.swapped.get(owner)) and len(args) > 1 and getattr(dialect.rules, swap.rule):
        args = (args[1], args[0], *args[2:])
        tell(f"{called(owner)}(output, target)", "target first")
    for old_place in TABLES.reread.get(owner, ()):
        args = _read_again(owner, old_place, args, kwargs, dialect)
    for group in TABLES.gathered.get(owner, ()):
        _gather(owner, group, kwargs)
    table = TABLES.spellings.get(owner)
    if table:
        args = _convert_places(table, args)
        for old in [k for k in kwargs if k in table and (k not in known or table[k].new == k)]:
            _respell(owner, old, table[old], kwargs)
    for argument, instead in dialect.refuses.get(owner, {}).items():
        if kwargs.get(argument):
            raise ValueError(
                f"{called(owner)}({argument}={show(kwargs[argument])}): the dialect {dialect.name!r} has no "
                f"{argument}; write {instead}."
            )
        kwargs.pop(argument, None)
    return args, kwargs


def read_by_old_name(instance: Any, name: str) -> Any:
    """Return what an attribute is that goes by another name today: that of an argument, or of a weight.

    Args:
        instance: The object, whose class or a base of it has tables.
        name: The old name.

    Raises:
        AttributeError: No table has the name, or the object has nothing by today's.
    """
    for owner in (cls.__name__ for cls in type(instance).__mro__ if is_ours(cls)):
        spelling = TABLES.spellings.get(owner, {}).get(name)
        new = TABLES.attributes.get(owner, {}).get(name) or (spelling.new if spelling else None)
        if new is None or new == name or (spelling is not None and spelling.quiet):
            continue
        value = getattr(instance, new)
        warn_once(owner, f".{name}", f"is .{new} today.", new, f"{owner}(…).{name}")
        olds = {} if spelling is None else {today: old for old, today in (spelling.values or {}).items()}
        return olds.get(value, value) if isinstance(value, (str, int)) else value
    raise AttributeError(f"{type(instance).__name__} has no {name!r}")


# Arguments that are yes or no, by which one order of arguments can be told from another.
_FLAGS = frozenset("nesterov amsgrad write_graph write_grads write_images write_steps_per_second".split())


def by_order(
    owner: str, args: tuple[Any, ...], kwargs: dict[str, Any], dialect: Dialect
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Name the arguments without a name, where the dialect's Keras has them in another order than the signature.

    Of several orders the first one counts in which flags get booleans, and nothing else does: the third argument of
    `SGD(0.1, 0.9, True)` is `nesterov`, and that of `SGD(0.1, 0.9, 1e-6)` is `decay`.

    Args:
        owner: Whose table applies.
        args: Positional arguments, without `self`.
        kwargs: Keyword arguments; not changed.
        dialect: Has the table.
    """
    orders = dialect.orders.get(owner, ()) if args else ()
    readings = [dict(zip(order, args)) for order in orders if len(args) <= len(order)]
    readings = [named for named in readings if not named.keys() & kwargs.keys()]
    if not readings:
        return args, kwargs
    told = (n for n in readings if all((name in _FLAGS) is isinstance(value, bool) for name, value in n.items()))
    return (), {**next(told, readings[0]), **kwargs}


def _input_first(
    owner: str, form: InputFirst, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    leading = args[: form.count]
    whole = all(isinstance(a, int) and not isinstance(a, bool) for a in leading)
    if len(args) != form.count or not whole or "input_dim" in kwargs:
        return args, kwargs
    numbers = ", ".join(map(str, leading))
    if form.refused:
        raise TypeError(f"{called(owner)}({numbers}): {form.refused.format(*leading)}")
    size, units = leading
    text = f"positional {numbers} is read as {units} units behind input_dim={size}."
    warn_once(owner, "input_dim", text, f"{units}, input_dim={size}", f"{called(owner)}({numbers})")
    return (units,), {**kwargs, "input_dim": size}


def _positional(
    owner: str, form: Positional, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    end = form.first + form.count
    sizes = args[form.first : end]
    if len(sizes) < form.count or not all(isinstance(a, int) and not isinstance(a, bool) for a in sizes):
        return args, kwargs
    for argument in form.conflicts:
        if argument in kwargs:
            raise TypeError(
                f"{called(owner)}(…, {', '.join(map(str, sizes))}, {argument}={show(kwargs[argument])}): {sizes} is "
                f"read as {form.new}={sizes}; write {form.new}=… to give {argument} too."
            )
    numbers = ", ".join(map(str, sizes))
    text = f"positional {numbers} is read as {form.new}={sizes}."
    warn_once(owner, form.new, text, f"{form.new}={sizes}", f"{called(owner)}(…, {numbers})")
    kwargs = {**kwargs, **dict(zip(form.behind, args[end:]))}
    return (*args[: form.first], sizes, *args[end + len(form.behind) :]), kwargs


def _read_again(
    owner: str, place: Reread, args: tuple[Any, ...], kwargs: Mapping[str, Any], dialect: Dialect
) -> tuple[Any, ...]:
    old_call = getattr(dialect.rules, place.rule) or any(name in kwargs for name in place.beside)
    if not old_call or len(args) <= place.index or args[place.index] is None:
        return args
    spelling = TABLES.spellings[owner][place.old]
    value = args[place.index] if spelling.convert is None else spelling.convert(args[place.index])
    text = f"is now {spelling.new}={show(value)}. {spelling.note}".rstrip()
    warn_once(owner, place.old, text, f"{spelling.new}=…")
    return (*args[: place.index], value, *args[place.index + 1 :])


def _convert_places(table: Mapping[str, Spelling], args: tuple[Any, ...]) -> tuple[Any, ...]:
    for spelling in table.values():
        place = spelling.place
        if place is not None and len(args) > place:
            value = converted(spelling, args[place])
            if isinstance(args[place], str) and value != args[place]:
                tell(f"{args[place]!r}", f"{spelling.new}={value!r}")
            args = (*args[:place], value, *args[place + 1 :])
    return args


def converted(spelling: Spelling, value: Any) -> Any:
    """Return an old value in today's words."""
    if spelling.values is not None and (value is None or isinstance(value, (str, int))):
        value = spelling.values.get(value, value)
    return value if spelling.convert is None else spelling.convert(value)


def _gather(owner: str, group: Gathered, kwargs: dict[str, Any]) -> None:
    if not all(name in kwargs for name in group.old):
        return
    kwargs[group.new] = tuple(kwargs.pop(name) for name in group.old)
    text = f"{', '.join(group.old)} are now {group.new}={kwargs[group.new]}."
    written = f"{called(owner)}({', '.join(f'{name}=…' for name in group.old)})"
    warn_once(owner, group.old[0], text, f"{group.new}=(…)", written)


def _respell(owner: str, old: str, spelling: Spelling, kwargs: dict[str, Any]) -> None:
    value = kwargs.pop(old)
    if spelling.refused or (spelling.harmless is not None and value not in spelling.harmless):
        raise ValueError(f"{called(owner)}({old}={show(value)}): {spelling.note}")
    if spelling.new is None:
        if spelling.during is not None:
            warn_once(owner, old, f"counts in this call; {spelling.note}.", spelling.note)
        elif not spelling.quiet:
            warn_once(owner, old, f"has no effect any more. {spelling.note}".rstrip(), "nothing")
        return
    value = converted(spelling, value)
    for new in (spelling.new, *spelling.also):
        if new in kwargs and new != old:
            raise TypeError(f"{called(owner)}: {old} and {new} are one argument; give only {new}.")
        kwargs[new] = value
    names = "=".join((spelling.new, *spelling.also))
    if not spelling.quiet:
        warn_once(owner, old, f"is now {names}={show(value)}. {spelling.note}".rstrip(), f"{names}=…")
    elif spelling.new != old:
        tell(f"{called(owner)}({old}=…)", f"{names}=…")


def known_by_name(method: F) -> F:
    """Let Python's own errors call a method as its callers do, `fit()`: the name of a mixin tells them nothing."""
    method.__qualname__ = method.__name__
    return method


def nameless(cls: C) -> C:
    """Do what `known_by_name` does for every public method of a class that users never name, such as a mixin."""
    for name, member in vars(cls).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            known_by_name(member)
    return cls


def entrance(method: F) -> F:
    """Translate the arguments of a method by the tables of `Class.method`, and refuse unknown ones by name."""
    signature = inspect.signature(method)
    bound = signature.replace(parameters=list(signature.parameters.values())[1:])
    ordered = list(signature.parameters)[1:]
    accepted = frozenset(ordered)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    owner = method.__qualname__
    known_by_name(method)

    @functools.wraps(method)
    def entered(self: Any, *args: Any, **kwargs: Any) -> Any:
        around: contextlib.AbstractContextManager[Any] = _NOTHING
        if not kwargs.keys() <= accepted or owner in TABLES.reread:
            around = _asked_for(owner, self, kwargs)
            args, kwargs = translate(owner, args, kwargs, of(self), accepted)
            unknown = kwargs.keys() - accepted
            if unknown and not open_ended:
                name = min(unknown)
                known = [*ordered, *(old for old, s in TABLES.spellings.get(owner, {}).items() if s.new is not None)]
                raise TypeError(
                    f"{method.__name__}({name}={show(kwargs[name])}): unknown argument; {did_you_mean(name, known)}"
                )
        try:
            with around:
                return method(self, *args, **kwargs)
        except UnknownName as error:
            raise error.at(method.__name__, {**dict(zip(ordered, args)), **kwargs}) from None
        except TypeError:
            if wrong := misfit(method.__name__, bound, args, kwargs):
                raise TypeError(wrong) from None
            raise

    return entered  # type: ignore[return-value]


@contextlib.contextmanager
def _asked_for(owner: str, instance: Any, kwargs: Mapping[str, Any]) -> Iterator[None]:
    """Be in the contexts of an object that old arguments of a call ask for."""
    with contextlib.ExitStack() as stack:
        for old, spelling in TABLES.spellings.get(owner, {}).items():
            if spelling.during is not None and old in kwargs:
                stack.enter_context(getattr(instance, spelling.during)(kwargs[old]))
        yield


def translated(owner: str) -> Callable[[F], F]:
    """Do what `entrance` does for a function, under the tables of `owner`."""

    def decorate(function: F) -> F:
        accepted = frozenset(inspect.signature(function).parameters)

        @functools.wraps(function)
        def entered(*args: Any, **kwargs: Any) -> Any:
            if not kwargs.keys() <= accepted or owner in _by_place:
                args, kwargs = translate(owner, args, kwargs, current(), accepted)
            return function(*args, **kwargs)

        return entered  # type: ignore[return-value]

    return decorate
