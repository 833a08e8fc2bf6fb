"""What is accepted by more than one Keras and trains another model in each, as data, and where a script has it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .._core import dialects, registry
from .._core.dialects import Dialect
from .._core.errors import and_list
from .calls import Call, calls
from .names import Names

Line = tuple[int, str]
DECAYING = "SGD RMSprop Adagrad Adadelta Adam Adamax"
OPTIMIZERS = f"{DECAYING} Nadam Ftrl"


@dataclass(frozen=True)
class Trap:
    """An argument that does not mean the same everywhere.

    Attributes:
        owners: Of which calls.
        argument: Its name today.
        text: What it means where.
        values: The constants that it is about; all of them if empty.
        old: Its old name, where only that one is a trap.
    """

    owners: str
    argument: str
    text: str
    values: tuple[Any, ...] = ()
    old: str = ""


TRAPS: tuple[Trap, ...] = (
    Trap(DECAYING, "decay", "the rate is lr / (1 + decay × batches); keras-2.15 and Keras 3 refuse it"),
    Trap(
        OPTIMIZERS,
        "clipnorm",
        "classic Keras bounds the norm over all gradients together; tf.keras and keras-2.15 each weight's own",
    ),
    Trap(OPTIMIZERS, "epsilon", "epsilon=None is K.epsilon(), 1e-7; torch's optimizers have 1e-8", (None,)),
    Trap("ReduceLROnPlateau", "min_delta", "it is min_delta; later Keras does not know it", old="epsilon"),
    Trap("imdb.load_data reuters.load_data", "num_words", "it is num_words; Keras 3 refuses it", old="nb_words"),
    Trap(
        "Dense Conv1D Conv2D Conv3D LSTM GRU SimpleRNN ActivityRegularization",
        "activity_regularizer",
        "classic Keras adds the plain sum; tf.keras divides it by the batch size",
    ),
    Trap(
        "Embedding",
        "mask_zero",
        "the mask reaches every later layer, loss and metrics; a layer that knows no mask is refused in classic Keras, "
        "and drops it in tf.keras",
        (True,),
    ),
    Trap("Embedding", "word_dropout", "whole words are dropped for the batch; Keras 2 and 3 do not know it"),
    Trap(
        "Trainer.fit ClassicCalls.fit_generator",
        "class_weight",
        "it multiplies sample_weight; Keras up to 2.2 ignores it beside one",
    ),
)
HARD_SIGMOID = "hard_sigmoid is clip(0.2 x + 0.5, 0, 1); in Keras 3 it is relu6(x + 3) / 6"
LOGS = "logs have this batch's loss in classic Keras, and the mean of the epoch so far in tf.keras"
FROZEN = "what trains is what was trainable at the last compile; Keras 3 asks anew at each step"
SHORT_ACCURACY = (
    "'acc' and 'accuracy' find the same value here; elsewhere only the name that the metric was asked for by"
)
BINARY = (
    "'accuracy' beside binary_crossentropy counts each label in classic Keras; tf.keras looks at the shapes, and takes "
    "the largest of several outputs"
)
RATE = "this sets the rate of the next step; in Keras 3 an optimizer has no lr, and nothing changes"
SHARED = "one optimizer trains two models: its counter is shared; Keras 3 refuses that"
SAMPLES = "the second argument counts batches; in Keras 1 it counted samples (--dialect keras-1)"
KERNEL = "read as a kernel of two sizes in classic Keras; tf.keras takes the second number for the strides"
UNTOUCHED = "rows of an Embedding that a batch does not touch move in classic Keras, and stay in tf.keras"
NO_NUMBERS = ("implementation",)  # arguments that change how something is computed, and not what


def differences(names: Names, dialect: Dialect) -> Iterator[Line]:
    """Yield the lines of a script that train another model elsewhere, and why.

    Args:
        names: What the script's text says.
        dialect: The one that it runs under.
    """
    every = list(calls(names))
    for call in every:
        yield from ((call.node.lineno, text) for text in _of_call(call, dialect))
    yield from _of_optimizers(every)
    yield from _of_strings(names)
    yield from _of_statements(names, every)


def _of_call(call: Call, dialect: Dialect) -> Iterator[str]:
    for trap in TRAPS:
        if call.owner in trap.owners.split() and _falls(call, trap):
            yield f"{call.name}({trap.old or trap.argument}=…): {trap.text}"
    if call.cls is not None:
        yield from _defaults(call, dialect)
    yield from (text for matches, text in CALLS if matches(call, dialect))


def _falls(call: Call, trap: Trap) -> bool:
    if trap.old:
        return any(keyword.arg == trap.old for keyword in call.node.keywords)
    if trap.argument == "class_weight" and "sample_weight" not in call.values:
        return False
    value = call.values.get(trap.argument)
    return value is not None and (not trap.values or (isinstance(value, ast.Constant) and value.value in trap.values))


def _defaults(call: Call, dialect: Dialect) -> Iterator[str]:
    """Yield the arguments that are left out and have other values under other dialects."""
    positional = list(inspect.signature(call.function).parameters)[1:][: len(call.node.args)]
    varying = {name for one in dialects.DIALECTS.values() for name in one.defaults.get(call.owner, ())}
    for name in sorted(varying - call.values.keys() - set(positional) - set(NO_NUMBERS)):
        here = _default(call, name, dialect)
        others: dict[Any, list[str]] = {}
        for other in dialects.DIALECTS.values():
            if _takes(call, name, other) and (value := _default(call, name, other)) != here:
                others.setdefault(value, []).append(other.name)
        told = ", ".join(f"{value!r} in {and_list(sorted(where))}" for value, where in others.items())
        if told and _takes(call, name, dialect):
            yield f"{call.name} without {name}: it is {here!r} in {dialect.name}, {told}"


def _takes(call: Call, name: str, dialect: Dialect) -> bool:
    return name not in dialect.refuses.get(call.owner, {})


def _default(call: Call, name: str, dialect: Dialect) -> Any:
    own = dialect.defaults.get(call.owner, {})
    if name in own:
        return own[name]
    parameter = inspect.signature(call.function).parameters.get(name)
    return None if parameter is None else parameter.default


def _two_numbers(call: Call, dialect: Dialect) -> bool:
    first_two = call.node.args[1:3]
    return call.owner in ("Conv2D", "SeparableConv2D", "ConvLSTM2D") and len(first_two) == 2


def _counts_batches(call: Call, dialect: Dialect) -> bool:
    return (
        call.owner == "ClassicCalls.fit_generator"
        and len(call.node.args) > 1
        and not dialect.rules.generators_count_samples
    )


def _binary_accuracy(call: Call, dialect: Dialect) -> bool:
    loss = call.values.get("loss", call.node.args[1] if len(call.node.args) > 1 else None)
    metrics = call.values.get("metrics")
    words = {node.value for node in ast.walk(metrics) if isinstance(node, ast.Constant)} if metrics else set()
    is_binary = isinstance(loss, ast.Constant) and loss.value == "binary_crossentropy"
    return call.owner == "Trainer.compile" and is_binary and bool(words & {"acc", "accuracy"})


CALLS: tuple[tuple[Callable[[Call, Dialect], bool], str], ...] = (
    (_two_numbers, KERNEL),
    (_counts_batches, SAMPLES),
    (_binary_accuracy, BINARY),
)


def _of_optimizers(every: list[Call]) -> Iterator[Line]:
    """Yield what follows from the optimizers: those of two models, and rows of embeddings."""
    compiled = [call for call in every if call.owner == "Trainer.compile"]
    models: dict[str, set[str]] = {}
    for call in compiled:
        optimizer = call.values.get("optimizer", call.node.args[0] if call.node.args else None)
        if isinstance(optimizer, ast.Name):
            trained = models.setdefault(optimizer.id, set())
            trained.add(ast.unparse(call.node.func))
            if len(trained) > 1:
                yield call.node.lineno, SHARED
        elif isinstance(optimizer, ast.Constant) and isinstance(optimizer.value, str):
            yield from _named_optimizer(call, optimizer.value)
    if any(call.owner == "Embedding" for call in every):
        for call in every:
            if call.owner in ("Adamax", "Nadam") or (call.owner in ("SGD", "RMSprop") and "momentum" in call.values):
                yield call.node.lineno, UNTOUCHED


def _named_optimizer(call: Call, name: str) -> Iterator[Line]:
    """Yield the rates that an optimizer named by a string has under several dialects."""
    cls = registry.KINDS["optimizer"].find(name)
    rates: dict[Any, list[str]] = {}
    for dialect in dialects.DIALECTS.values():
        own = dialect.defaults.get(getattr(cls, "__name__", ""), {})
        if cls is not None:
            default = inspect.signature(cls.__init__).parameters["learning_rate"].default
            rates.setdefault(own.get("learning_rate", default), []).append(dialect.name)
    if len(rates) > 1:
        told = "; ".join(f"{rate} in {and_list(sorted(where))}" for rate, where in rates.items())
        yield call.node.lineno, f"optimizer={name!r}: its learning rate is {told}"


def _of_strings(names: Names) -> Iterator[Line]:
    for node in ast.walk(names.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        around = names.parents.get(node)
        if node.value == "hard_sigmoid":
            yield node.lineno, HARD_SIGMOID
        is_monitor = isinstance(around, ast.keyword) and around.arg == "monitor"
        if node.value in ("acc", "val_acc") and (is_monitor or isinstance(around, ast.Subscript)):
            yield node.lineno, SHORT_ACCURACY


def _of_statements(names: Names, every: list[Call]) -> Iterator[Line]:
    compiles = any(call.owner == "Trainer.compile" for call in every)
    made = {call.node for call in every if call.owner in OPTIMIZERS.split()}
    assigned = [node for node in ast.walk(names.tree) if isinstance(node, ast.Assign)]
    optimizers = {ast.unparse(target) for node in assigned if node.value in made for target in node.targets}
    for node in assigned:
        for target in node.targets:
            if not isinstance(target, ast.Attribute):
                continue
            if target.attr == "trainable" and compiles:
                yield node.lineno, FROZEN
            holder = ast.unparse(target.value)
            if target.attr == "lr" and (holder in optimizers or holder.endswith(".optimizer")):
                yield node.lineno, RATE
    for function in ast.walk(names.tree):
        if isinstance(function, ast.FunctionDef) and function.name in ("on_batch_end", "on_train_batch_end"):
            yield function.lineno, LOGS
