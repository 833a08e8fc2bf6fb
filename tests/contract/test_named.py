"""What holds for everything that is found by a name: one `get`, one `serialize`, one «did you mean»."""

from __future__ import annotations

import copy
import inspect
import json
from types import ModuleType
from typing import Any

import pytest

import torchkeras_compat as keras
from torchkeras_compat._core import registry
from torchkeras_compat.optimizers import schedules

from .named_specs import NAMED

# Those with a module that has get, serialize and deserialize.
MODULES: dict[str, ModuleType] = {
    "activation": keras.activations,
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
    "loss": keras.losses,
    "metric": keras.metrics,
    "optimizer": keras.optimizers,
}
CONFIGURED = (*(kind for kind in MODULES if kind in NAMED), "schedule")
LINES = [(kind, name) for kind in NAMED for name in NAMED[kind]]
WITH_CONFIG = [(kind, name) for kind, name in LINES if kind in CONFIGURED]
ENTRIES = [(kind, name) for kind in MODULES for name in registry.names(kind)]
FUNCTIONS = [(k, n) for k, n in ENTRIES if not inspect.isclass(registry.KINDS[k].entries[n])]

each_line = pytest.mark.parametrize(("kind", "name"), LINES, ids=lambda value: value)
each_with_config = pytest.mark.parametrize(("kind", "name"), WITH_CONFIG, ids=lambda value: value)
each_function = pytest.mark.parametrize(("kind", "name"), FUNCTIONS, ids=lambda value: value)
each_module = pytest.mark.parametrize("kind", list(MODULES))


def make(kind: str, name: str) -> Any:
    return registry.lookup(kind, name)(**NAMED[kind][name])


def needs_arguments(entry: type) -> bool:
    parameters = list(inspect.signature(entry).parameters.values())
    return any(p.default is p.empty and p.kind.name == "POSITIONAL_OR_KEYWORD" for p in parameters)


@pytest.mark.parametrize("kind", list(NAMED))
def test_every_class_has_a_line(kind: str) -> None:
    classes = {name for name, entry in registry.KINDS[kind].entries.items() if inspect.isclass(entry)}
    assert classes == set(NAMED[kind])


@each_line
def test_nothing_is_at_its_default(kind: str, name: str) -> None:
    if kind == "callback":
        pytest.skip("callbacks have no configuration")
    parameters = inspect.signature(registry.lookup(kind, name)).parameters
    known = {"dtype", "thresholds", "label_weights", "from_logits"} if kind == "metric" else set()
    if name == "LossScaleOptimizer":
        known = {"dynamic"}  # a fixed scale has no growth steps
    left = [
        argument
        for argument, parameter in parameters.items()
        if parameter.kind.name in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")
        and argument not in known
        and NAMED[kind][name].get(argument, parameter.default) == parameter.default
    ]
    assert left == []


@each_with_config
def test_config_round_trip(kind: str, name: str) -> None:
    made = make(kind, name)
    config = made.get_config()
    for argument, value in NAMED[kind][name].items():
        assert argument in config, argument
        if isinstance(value, (bool, int, str)):
            assert config[argument] == value
    assert type(made).from_config(config).get_config() == config
    assert json.loads(json.dumps(config)) == json.loads(json.dumps(type(made).from_config(config).get_config()))


@each_with_config
def test_get_finds_it(kind: str, name: str) -> None:
    made, cls = make(kind, name), registry.lookup(kind, name)
    get = MODULES[kind].get if kind in MODULES else lambda identifier: registry.get(kind, identifier)
    assert get(made) is made
    again = get({"class_name": name, "config": made.get_config()})
    assert isinstance(made, type(again))  # `l1_l2`, an L1L2 with other defaults, is written as one
    assert again.get_config() == made.get_config()
    if needs_arguments(cls):
        return
    for identifier in (name, cls, {"class_name": name, "config": {}}, {"class_name": name}):
        assert type(get(identifier)) is type(made)
    found = get(name.upper())
    assert type(found) is type(made) or found.__name__.replace("_", "") == name.lower()


@each_with_config
def test_serialize_round_trip(kind: str, name: str) -> None:
    module, made = MODULES.get(kind, schedules), make(kind, name)
    written = json.dumps(module.serialize(made))
    again = module.deserialize(json.loads(written))
    assert type(again) is type(made)
    assert json.dumps(module.serialize(again)) == written


@each_line
def test_copies(kind: str, name: str) -> None:
    made = make(kind, name)
    other = copy.deepcopy(made)
    assert type(other) is type(made)
    if kind in CONFIGURED:
        assert other.get_config() == made.get_config()


@each_function
def test_functions(kind: str, name: str) -> None:
    module, function = MODULES[kind], registry.KINDS[kind].entries[name]
    assert module.get(name) is function
    found = module.get(name.upper())
    assert found is function or type(found).__name__.lower() == name
    assert module.get(function) is function
    assert module.serialize(function) == name
    assert module.deserialize(name) is function


@pytest.mark.parametrize("kind", list(registry.KINDS))
def test_aliases_stand_for_something(kind: str) -> None:
    table = registry.KINDS[kind]
    assert {alias: name for alias, name in table.aliases.items() if name not in table.entries} == {}


@each_module
def test_unknown_name(kind: str) -> None:
    name = next(n for n in registry.names(kind) if len(n) > 3)
    with pytest.raises(ValueError, match=f"(?i)unknown {kind} '{name}x': did you mean.*'{name}'"):
        MODULES[kind].get(f"{name}x")
    with pytest.raises(ValueError, match=f"unknown {kind} 'qqqqqq': known are: "):
        MODULES[kind].get("qqqqqq")
    with pytest.raises(ValueError, match=f"unknown {kind}"):
        MODULES[kind].get({"class_name": f"{name}x", "config": {}})


@each_module
def test_something_else(kind: str) -> None:
    with pytest.raises(TypeError, match=f"{kind} must be a string, a configuration, an instance.*; got 3"):
        MODULES[kind].get(3)


@each_module
def test_none(kind: str) -> None:
    if kind == "optimizer":
        pytest.skip("a model needs one")
    expected = keras.activations.linear if kind == "activation" else None
    assert MODULES[kind].get(None) is expected


@each_module
def test_custom_objects(kind: str) -> None:
    def custom(x: Any, y: Any = None) -> Any:
        return x

    with registry.custom_object_scope({"custom": custom}):
        assert MODULES[kind].get("custom") is custom
    if registry.KINDS[kind].takes_callables:
        assert MODULES[kind].get(custom) is custom


@each_line
def test_unknown_argument(kind: str, name: str) -> None:
    if name in ("LambdaCallback", "MeanMetricWrapper"):
        pytest.skip("it hands them on to the functions in it")
    with pytest.raises(TypeError):
        registry.lookup(kind, name)(**NAMED[kind][name], no_such_argument=1)
