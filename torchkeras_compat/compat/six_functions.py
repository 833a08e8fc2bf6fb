"""What `six` has for Python 3, under its names: the part that scripts written for both Pythons use.

Source: the documentation of six 1.16.
"""

from __future__ import annotations

import builtins
import functools
import io
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, NoReturn, TypeVar

C = TypeVar("C", bound=type)

PY2, PY3, PY34 = False, True, True
MAXSIZE = sys.maxsize
string_types, integer_types, class_types = (str,), (int,), (type,)
text_type, binary_type = str, bytes
StringIO, BytesIO = io.StringIO, io.BytesIO
unichr, callable, next, exec_, print_ = builtins.chr, builtins.callable, builtins.next, builtins.exec, builtins.print
advance_iterator = builtins.next
wraps = functools.wraps
byte2int, indexbytes, iterbytes = operator.itemgetter(0), operator.getitem, iter
int2byte = operator.methodcaller("to_bytes", 1, "big")
get_method_function, get_method_self = operator.attrgetter("__func__"), operator.attrgetter("__self__")
get_function_code, get_function_defaults = operator.attrgetter("__code__"), operator.attrgetter("__defaults__")
get_function_closure, get_function_globals = operator.attrgetter("__closure__"), operator.attrgetter("__globals__")
viewkeys, viewvalues, viewitems = dict.keys, dict.values, dict.items


def iterkeys(d: Mapping[Any, Any], **kw: Any) -> Iterator[Any]:
    """Iterate over the keys of a dictionary.

    Args:
        d: The dictionary.
        kw: Given to its method.

    Example:
        >>> list(iterkeys({'a': 1}))
        ['a']
    """
    return iter(d.keys(**kw))


def itervalues(d: Mapping[Any, Any], **kw: Any) -> Iterator[Any]:
    """Iterate over the values of a dictionary.

    Args:
        d: The dictionary.
        kw: Given to its method.

    Example:
        >>> list(itervalues({'a': 1}))
        [1]
    """
    return iter(d.values(**kw))


def iteritems(d: Mapping[Any, Any], **kw: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over the pairs of a dictionary.

    Args:
        d: The dictionary.
        kw: Given to its method.

    Example:
        >>> list(iteritems({'a': 1}))
        [('a', 1)]
    """
    return iter(d.items(**kw))


def b(s: str) -> bytes:
    """Return a literal as bytes.

    Args:
        s: The literal.

    Example:
        >>> b('x')
        b'x'
    """
    return s.encode("latin-1")


def u(s: str) -> str:
    """Return a literal as text.

    Args:
        s: The literal.

    Example:
        >>> u('x')
        'x'
    """
    return s


def ensure_text(s: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Return text or bytes as text.

    Args:
        s: Text or bytes.
        encoding: Of the bytes.
        errors: What happens to bytes that are none of it.

    Example:
        >>> ensure_text(b'x')
        'x'
    """
    return s.decode(encoding, errors) if isinstance(s, bytes) else s


ensure_str = ensure_text


def ensure_binary(s: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> bytes:
    """Return text or bytes as bytes.

    Args:
        s: Text or bytes.
        encoding: Of the bytes.
        errors: What happens to text that has none in it.

    Example:
        >>> ensure_binary('x')
        b'x'
    """
    return s if isinstance(s, bytes) else s.encode(encoding, errors)


def with_metaclass(meta: type, *bases: type) -> Any:
    """Return a base class that gives a class the metaclass and the bases.

    Args:
        meta: The metaclass.
        bases: The bases.

    Example:
        >>> class Meta(type):
        ...     pass
        >>> class Mine(with_metaclass(Meta, dict)):
        ...     pass
        >>> type(Mine) is Meta, Mine.__bases__
        (True, (<class 'dict'>,))
    """

    class Between(type):
        def __new__(mcs, name: str, _: Any, body: dict[str, Any]) -> Any:
            return meta(name, bases or (object,), body)

        @classmethod
        def __prepare__(mcs, name: str, _: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            return meta.__prepare__(name, bases, **kwargs)

    return type.__new__(Between, "temporary_class", (), {})


def add_metaclass(metaclass: type) -> Callable[[C], Any]:
    """Return a decorator that makes a class again under a metaclass.

    Args:
        metaclass: The metaclass.

    Example:
        >>> class Meta(type):
        ...     pass
        >>> @add_metaclass(Meta)
        ... class Mine:
        ...     pass
        >>> type(Mine) is Meta
        True
    """

    def again(cls: C) -> Any:
        body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        slots = body.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            body.pop(slot)
        return metaclass(cls.__name__, cls.__bases__, {**body, "__qualname__": cls.__qualname__})

    return again


def python_2_unicode_compatible(cls: C) -> C:
    """Return a class as it is.

    Args:
        cls: The class.

    Example:
        >>> python_2_unicode_compatible(int)
        <class 'int'>
    """
    return cls


def reraise(tp: type[BaseException], value: BaseException | None, tb: TracebackType | None = None) -> NoReturn:
    """Raise an exception again.

    Args:
        tp: Its class.
        value: The exception; made of the class where there is none.
        tb: Where it came from.

    Raises:
        BaseException: The exception.

    Example:
        >>> reraise(ValueError, ValueError('no'))
        Traceback (most recent call last):
        ValueError: no
    """
    raise (tp() if value is None else value).with_traceback(tb)


def raise_from(value: BaseException, from_value: BaseException | None) -> NoReturn:
    """Raise an exception that another one has caused.

    Args:
        value: The exception.
        from_value: Its cause.

    Raises:
        BaseException: The exception.

    Example:
        >>> raise_from(ValueError('no'), None)
        Traceback (most recent call last):
        ValueError: no
    """
    raise value from from_value
