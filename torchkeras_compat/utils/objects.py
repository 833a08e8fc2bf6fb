"""The user's own classes and functions by name, and objects as configurations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from .._core import registry, stored_configs
from .._core.config import with_dialect
from .._core.dialects import LEGACY_OPTIMIZERS, TF_KERAS
from .._core.errors import show
from .._core.ownership import PACKAGE, origin

T = TypeVar("T")

get_custom_objects = registry.get_custom_objects

# Where Keras's configurations say an object comes from, and the kind that is. Callbacks have no configurations: they
# name files that they write.
_KINDS_BY_MODULE = {
    "layers": "layer",
    "models": "layer",
    "activations": "activation",
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
    "losses": "loss",
    "metrics": "metric",
    "optimizers": "optimizer",
    "legacy": "optimizer",
    "schedules": "schedule",
}
MODULES_BY_KIND = {
    **{kind: f"keras.{module}" for module, kind in _KINDS_BY_MODULE.items() if module not in ("models", "legacy")},
    "schedule": "keras.optimizers.schedules",
}


class CustomObjectScope:
    """Make classes and functions known by name inside a `with` block.

    Args:
        args: Dictionaries of name → class or function.

    Example:
        >>> def half(x):
        ...     return x / 2
        >>> with CustomObjectScope({'half': half}):
        ...     get_registered_object('half') is half
        True
    """

    def __init__(self, *args: Mapping[str, Any] | None) -> None:
        for mapping in args:
            if mapping is not None and not isinstance(mapping, Mapping):
                raise TypeError(
                    f"custom_object_scope({show(mapping)}): each argument must be a dictionary of name → object."
                )
        self._objects = [dict(mapping or {}) for mapping in args]
        self._scopes: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        scope = registry.custom_object_scope(*self._objects)
        scope.__enter__()
        self._scopes.append(scope)
        return self

    def __exit__(self, *error: Any) -> None:
        self._scopes.pop().__exit__(*error)


custom_object_scope = CustomObjectScope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Register the decorated class or function under `package>name`, so that files and configurations may name it.

    Args:
        package: First part of the name.
        name: Second part; the object's own name when `None`.

    Raises:
        ValueError: A class without `get_config`.

    Example:
        >>> @register_keras_serializable(package='example')
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'example>double'
    """

    def enter(entry: T) -> T:
        full = f"{package}>{name or entry.__name__}"  # type: ignore[attr-defined]
        if inspect.isclass(entry) and not hasattr(entry, "get_config"):
            raise ValueError(f"register_keras_serializable: the class {full!r} needs a get_config() method.")
        get_custom_objects()[full] = entry
        return entry

    return enter


def get_registered_name(obj: Any) -> str:
    """Return the name that `obj` is registered under, else its own."""
    registered = next((name for name, known in get_custom_objects().items() if known is obj), None)
    return str(registered or obj.__name__)


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the user's object called `name`, or `None`.

    Args:
        name: A name, such as `'example>double'`.
        custom_objects: Searched after the objects of the open scopes.
        module_objects: Searched last.
    """
    own = registry.custom_object(name)
    if own is not None:
        return own
    return next((known[name] for known in (custom_objects, module_objects) if known and name in known), None)


def serialize_keras_object(obj: Any) -> Any:
    """Return a configuration, in the form of Keras 2.15, from which `deserialize_keras_object` makes an equal object.

    Args:
        obj: A layer, loss, optimizer, …, a registered function, or a container of such and of plain values.

    Raises:
        TypeError: An object without `get_config`.

    Example:
        >>> serialize_keras_object({'sizes': (3, 4)})
        {'sizes': {'class_name': '__tuple__', 'items': [3, 4]}}
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, tuple):
        return {"class_name": "__tuple__", "items": [serialize_keras_object(item) for item in obj]}
    if isinstance(obj, list):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": str(obj.dtype)}}
    return _serialized_object(obj)


def _serialized_object(obj: Any) -> dict[str, Any]:
    cls = obj if inspect.isfunction(obj) else origin(type(obj))
    registered = get_registered_name(cls)
    custom = registered in get_custom_objects()
    kind = next((kind for kind in MODULES_BY_KIND if registry.name_of(kind, cls)), None)
    legacy = type(obj).__module__ == f"{PACKAGE}.{LEGACY_OPTIMIZERS}"
    known = f"keras.{LEGACY_OPTIMIZERS}" if legacy else MODULES_BY_KIND[kind] if kind else None
    where = {
        "module": cls.__module__ if custom or known is None else known,
        "registered_name": registered if custom or not kind else None,
    }
    if inspect.isfunction(obj):
        name = registry.name_of(kind, obj) if kind else obj.__name__
        listed = registered if custom else "function"
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": listed}
    if not hasattr(obj, "get_config"):
        raise TypeError(f"serialize_keras_object({show(obj)}): {type(obj).__name__} needs a get_config() method.")
    return {**where, "class_name": cls.__name__, "config": serialize_keras_object(obj.get_config())}


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Make the object that a configuration describes.

    Only what is registered or among the custom objects can be named; nothing is imported.

    Args:
        config: What `serialize_keras_object` returned, or the older `{'class_name': …, 'config': …}`.
        custom_objects: Name → class or function, for this call.
        safe_mode: Stays; a lambda's byte code is refused here in any case.
        kwargs: `module_objects` (name → object, searched last) and `printable_module_name`, as classic Keras has them.

    Raises:
        ValueError: A name that is not known, or stored byte code.

    Example:
        >>> deserialize_keras_object({'class_name': '__tuple__', 'items': [3, 4]})
        (3, 4)
    """
    unknown = kwargs.keys() - {"module_objects", "printable_module_name"}
    if unknown:
        raise TypeError(f"deserialize_keras_object({min(unknown)}=…): unknown argument.")
    wanted = _Wanted(module_objects=kwargs.get("module_objects") or {}, label=kwargs.get("printable_module_name"))
    with CustomObjectScope(custom_objects):
        return _deserialized(config, wanted)


def deserialize_as(kinds: Sequence[str], config: Any) -> Any:
    """Make the object that a configuration describes, which must be of one of these kinds, or a container of such.

    Args:
        kinds: Keys of `registry.KINDS`.
        config: As `deserialize_keras_object` takes it.

    Raises:
        ValueError: A name that is not known among them.
    """
    return _deserialized(config, _Wanted(tuple(kinds), label=" or ".join(kinds)))


@dataclass(frozen=True)
class _Wanted:
    """What a configuration may name.

    Attributes:
        kinds: Keys of `registry.KINDS`.
        module_objects: Further objects by name.
        label: What messages call one of them.
    """

    kinds: tuple[str, ...] = tuple(MODULES_BY_KIND)
    module_objects: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None

    def inside(self) -> _Wanted:
        """Return what may be named inside a container: the further objects are for the outermost one."""
        return replace(self, module_objects={})


def _deserialized(config: Any, wanted: _Wanted) -> Any:
    if isinstance(config, str) and wanted.module_objects:
        return _instance(_find(config, config, None, wanted))
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialized(item, wanted.inside()) for item in config)
    if not isinstance(config, dict):
        return config
    if "class_name" not in config:
        return {key: _deserialized(value, wanted.inside()) for key, value in config.items()}
    name = config["class_name"]
    if not isinstance(name, str):
        raise ValueError(f"deserialize_keras_object: 'class_name' must be a string; got {show(name)}.")
    if name in _CONTAINERS:
        return _CONTAINERS[name](config, wanted.inside())
    return _make(config, name, wanted)


def _make(config: Mapping[str, Any], name: str, wanted: _Wanted) -> Any:
    if name == "function":
        name = str(config.get("config"))
    kind = _KINDS_BY_MODULE.get(str(config.get("module") or "").split(".")[-1])
    registered = config.get("registered_name")
    entry = _find(registered if isinstance(registered, str) else name, name, kind, wanted)
    if not inspect.isclass(entry):
        return entry
    known = next((kind for kind, table in registry.KINDS.items() if issubclass(entry, table.bases or ())), None)
    if config.get("module") == f"keras.{LEGACY_OPTIMIZERS}":
        entry = with_dialect(entry, TF_KERAS.name, f"{PACKAGE}.{LEGACY_OPTIMIZERS}")
    with registry.custom_object_scope({name: entry}):
        return registry.deserialize(known or kind or wanted.label or "object", {**config, "registered_name": name})


def _find(full: str, name: str, kind: str | None, wanted: _Wanted) -> Any:
    for spelled in (full, name):
        own = get_registered_object(spelled, None, wanted.module_objects)
        if own is not None:
            return own
    for known in wanted.kinds:
        if kind in (None, known):
            entry = registry.KINDS[known].find(stored_configs.class_in(known, name.removeprefix("Custom>")))
            if entry is not None:
                return entry
    label = kind if kind in wanted.kinds else wanted.label or "object"
    raise ValueError(f"unknown {label} {show(name)}: pass it as custom_objects={{{show(name)}: …}}.")


def _instance(entry: Any) -> Any:
    return entry() if inspect.isclass(entry) else entry


def _refuse_lambda(config: Mapping[str, Any], wanted: _Wanted) -> Any:
    raise ValueError(
        "deserialize_keras_object: the configuration holds a lambda's byte code, which is not run; "
        "name the function in custom_objects."
    )


def _array(config: Mapping[str, Any], wanted: _Wanted) -> Any:
    stored = config.get("config")
    if not isinstance(stored, Mapping) or not {"value", "dtype"} <= stored.keys():
        raise ValueError(f"deserialize_keras_object: an array needs 'value' and 'dtype'; got {show(config)}.")
    dtype = np.dtype(str(stored["dtype"]))
    if dtype.hasobject:
        raise ValueError(f"deserialize_keras_object: an array of {dtype} is not read from a configuration.")
    return np.array(stored["value"], dtype=dtype)


def _simple(make: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any], _Wanted], Any]:
    """Return a function of a value without parts, in the form of those that have some."""
    return lambda config, wanted: make(config)


_CONTAINERS: dict[str, Callable[[Mapping[str, Any], _Wanted], Any]] = {
    **{name: _simple(make) for name, make in stored_configs.CONTAINERS.items()},
    "__tuple__": lambda config, wanted: tuple(_deserialized(item, wanted) for item in config["items"]),
    "__numpy__": _array,
    "__tensor__": _array,
    "__lambda__": _refuse_lambda,
}
