"""Models that are hard to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torchkeras_compat import layers as L
from torchkeras_compat.models import Model, Sequential


def deep(count: int = 60) -> Any:
    inputs = x = L.Input((16,), name="x")
    for number in range(count):
        y = L.Dense(16, name=f"dense_{number}")(x)
        x = L.add([x, y], name=f"add_{number}") if number % 5 == 4 else y
    return Model(inputs, x)


def residual() -> Any:
    inputs = L.Input((16, 16, 3))
    x = L.Conv2D(4, 3, padding="same")(inputs)
    for filters in (4, 8, 16):
        beside = x if filters == 4 else L.Conv2D(filters, 1, name=f"beside_{filters}")(x)
        y = L.Activation("relu", name=f"relu_{filters}")(L.BatchNormalization(name=f"norm_{filters}")(x))
        y = L.Conv2D(filters, 3, padding="same", name=f"conv_{filters}")(y)
        x = L.add([beside, y], name=f"add_{filters}")
    return Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x)))


def unet() -> Any:
    inputs = x = L.Input((32, 32, 1))
    beside = []
    for filters in (4, 8, 16):
        x = L.Conv2D(filters, 3, padding="same")(x)
        beside.append(x)
        x = L.MaxPooling2D()(x)
    for filters, other in zip((16, 8, 4), reversed(beside)):
        x = L.Conv2D(filters, 3, padding="same")(L.concatenate([L.UpSampling2D()(x), other]))
    return Model(inputs, x)


def inceptions(count: int = 4) -> Any:
    """Blocks of branches of different lengths, one after the other."""
    inputs = x = L.Input((8, 8, 4))
    for number in range(count):
        a = L.Conv2D(4, 1)(x)
        b = L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(L.Conv2D(4, 1)(x)))
        c = L.Conv2D(4, 1)(L.AveragePooling2D(3, 1, "same")(x))
        x = L.concatenate([a, b, c], name=f"joined_{number}")
    return Model(inputs, x)


def dense_net(count: int = 7) -> Any:
    """Each layer takes what all before it give."""
    all_before = [L.Input((8,))]
    for _ in range(count):
        x = all_before[0] if len(all_before) == 1 else L.concatenate(all_before)
        all_before.append(L.Dense(8)(x))
    return Model(all_before[0], all_before[-1])


def many() -> Any:
    """More inputs and outputs than fit into one line, in an order that crosses."""
    inputs = [L.Input((2,), name=f"in_{number}") for number in range(7)]
    hidden = [L.Dense(2, name=f"hidden_{number}")(x) for number, x in enumerate(reversed(inputs))]
    return Model(inputs, [L.add([hidden[k], hidden[(3 * k + 1) % 7]], name=f"out_{k}") for k in range(7)])


def circles() -> Any:
    """Layers and models that are called on what they gave."""
    inputs, again, other = L.Input((4,)), L.Dense(4, name="again"), L.Dense(4, name="other")
    x = again(other(again(again(inputs))))
    inner = Sequential([L.Dense(4, input_shape=(4,)), L.Dense(4)], name="inner")
    return Model(inputs, inner(L.Activation("relu")(inner(inner(x)))))


def several() -> Any:
    """A model inside with several inputs and outputs, some of which leave it early."""
    a, b, late = L.Input((4,), name="a"), L.Input((4,), name="b"), L.Input((3,), name="late")
    x = L.add([L.Dense(4)(a), L.Dense(4)(b)], name="sum")
    third = L.Dense(4, name="third")(L.Dense(7)(L.Dense(6)(x)))
    inner = Model([a, b], [x, L.Dense(2, name="second")(x), third], name="inner_model_with_a_long_name")
    p, q, frames = L.Input((4,), name="p"), L.Input((4,), name="q"), L.Input((7, 5), name="frames")
    step = Sequential([L.Dense(3, input_shape=(5,))], name="step")
    joined = L.concatenate([*inner([L.Dense(4, name="before_p")(p), q]), late], name="joined")
    flat = L.Flatten()(L.TimeDistributed(step)(frames))
    return Model([p, q, late, frames], L.concatenate([joined, flat]))


def deeply_nested() -> Any:
    model = Sequential([L.Dense(3, input_shape=(3,))], name="level_0")
    for level in range(1, 5):
        inputs = L.Input((3,))
        model = Model(inputs, L.add([model(inputs), L.Dense(3)(inputs)]), name=f"level_{level}")
    inputs = L.Input((3,))
    return Model(inputs, model(model(inputs)))


def apart() -> Any:
    """Two models side by side."""
    a, b = L.Input((3,)), L.Input((3,))
    return Model([a, b], [L.Dense(1)(a), L.Dense(1)(L.Dense(2)(b))])


def merged() -> Any:
    left = Sequential([L.Dense(4, input_dim=3, name="l")], name="left")
    right = Sequential([L.Dense(4, input_dim=5, name="r1"), L.Dense(4, name="r2")], name="right")
    return Sequential([L.Merge([left, right], mode="concat", name="merge"), L.Dense(1, name="out")])


def alone() -> Any:
    inputs = L.Input((3,))
    return Model(inputs, inputs)


HARD: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        deep,
        residual,
        unet,
        inceptions,
        dense_net,
        many,
        circles,
        several,
        deeply_nested,
        apart,
        merged,
        alone,
    )
}
