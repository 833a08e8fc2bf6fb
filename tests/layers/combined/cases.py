"""Models of layers that merge tensors or hold another layer. The same text runs under Keras 2.15 and here.

Each function takes the namespace `k` (`K`, `layers`, `Input`, `Model`, `Sequential`) and returns the input, the outputs
and the layer that the case is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLES = 12
Built = tuple[Any, Any, Any]
CASES: dict[str, Callable[[Any], Built]] = {}


def _case(name: str, build: Callable[[Any], Built]) -> None:
    assert name not in CASES, name
    CASES[name] = build


# --- merging ---------------------------------------------------------------------------------------------------------


def _sequence(k: Any, masked: bool = False) -> tuple[Any, Any]:
    x = k.Input((3, 4))
    return x, k.layers.Masking()(x) if masked else x


def _same_shapes(k: Any, layer: Any, count: int) -> Built:
    x, h = _sequence(k)
    return x, layer([k.layers.Dense(2)(h) for _ in range(count)]), layer


def _ranks(k: Any, layer: Any) -> Built:
    x, h = _sequence(k)
    return x, layer([k.layers.Dense(2)(h), k.layers.Dense(2)(k.layers.GlobalAveragePooling1D()(h))]), layer


def _sizes_of_one(k: Any, layer: Any) -> Built:
    x, h = _sequence(k)
    return x, layer([k.layers.Dense(1)(h), k.layers.Dense(3)(h)]), layer


def _both_masked(k: Any, layer: Any) -> Built:
    x, h = _sequence(k, True)
    shifted = k.layers.Masking()(k.layers.Lambda(lambda t: t[:, ::-1])(x))
    return x, layer([k.layers.Dense(2)(h), k.layers.Dense(2)(shifted)]), layer


def _one_masked(k: Any, layer: Any) -> Built:
    x, h = _sequence(k, True)
    return x, layer([k.layers.Dense(2)(x), k.layers.Dense(2)(h)]), layer


ELEMENTWISE = "Add Subtract Multiply Average Maximum Minimum".split()
for _name in ELEMENTWISE:
    _count = 2 if _name == "Subtract" else 3
    _case(f"{_name}_same", lambda k, n=_name, c=_count: _same_shapes(k, getattr(k.layers, n)(), c))
    _case(f"{_name}_ranks", lambda k, n=_name: _ranks(k, getattr(k.layers, n)()))
    _case(f"{_name}_ones", lambda k, n=_name: _sizes_of_one(k, getattr(k.layers, n)()))
    _case(f"{_name}_both_masked", lambda k, n=_name: _both_masked(k, getattr(k.layers, n)()))
_case("Add_one_masked", lambda k: _one_masked(k, k.layers.Add()))
for _axis in (-1, 1, 2, -2):
    _case(f"Concatenate_{_axis}", lambda k, a=_axis: _same_shapes(k, k.layers.Concatenate(axis=a), 3))
    _case(f"Concatenate_{_axis}_both_masked", lambda k, a=_axis: _both_masked(k, k.layers.Concatenate(a)))
_case("Concatenate_one_masked", lambda k: _one_masked(k, k.layers.Concatenate()))


def _other_widths(k: Any) -> Built:
    x, h = _sequence(k, True)
    layer = k.layers.Concatenate()
    return x, layer([k.layers.Dense(1)(h), k.layers.Dense(3)(x), h]), layer


_case("Concatenate_widths", _other_widths)


def _masks_of_images(k: Any, axis: int) -> Built:
    x = k.Input((3, 2, 4))
    h = k.layers.Masking()(x)
    layer = k.layers.Concatenate(axis)
    return x, layer([h, k.layers.Dense(4)(h)]), layer


for _axis in (1, 2, 3, -1):
    _case(f"Concatenate_image_{_axis}", lambda k, a=_axis: _masks_of_images(k, a))


def _dot(k: Any, axes: Any, normalize: bool, ranks: tuple[int, int] = (3, 3), masked: bool = False) -> Built:
    x, h = _sequence(k, masked)
    parts = [k.layers.Dense(3)(h), k.layers.Dense(3)(h)]
    flat = [p if r == 3 else k.layers.GlobalAveragePooling1D()(p) for p, r in zip(parts, ranks)]
    layer = k.layers.Dot(axes=axes, normalize=normalize)
    return x, layer(flat), layer


for _axes in (1, 2, -1, (1, 2), (2, 1), [-1, 1]):
    for _unit in (False, True):
        _case(f"Dot_{_axes}_{_unit}", lambda k, a=_axes, n=_unit: _dot(k, a, n))
_case("Dot_of_vectors", lambda k: _dot(k, 1, False, (2, 2)))
_case("Dot_of_unit_vectors", lambda k: _dot(k, -1, True, (2, 2)))
_case("Dot_of_ranks", lambda k: _dot(k, (2, 1), False, (3, 2)))
_case("Dot_of_other_ranks", lambda k: _dot(k, (1, 2), True, (2, 3)))
_case("Dot_masked", lambda k: _dot(k, 2, False, masked=True))


# --- TimeDistributed -------------------------------------------------------------------------------------------------


def _each_step(k: Any, inner: Any, shape: tuple[int, ...], masked: bool = False, behind: Any = None) -> Built:
    x = k.Input(shape)
    layer = k.layers.TimeDistributed(inner)
    y = layer(k.layers.Masking()(x) if masked else x)
    return x, y if behind is None else behind(y), layer


def _user_layer(k: Any) -> Any:
    class Scale(k.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.supports_masking = True

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale + k.K.mean(inputs, axis=-1, keepdims=True)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    return Scale()


def _functional(k: Any) -> Any:
    x = k.Input((4,))
    return k.Model(x, k.layers.add([k.layers.Dense(3, activation="tanh")(x), k.layers.Dense(3)(x)]))


def _fixed_batch(k: Any) -> Built:
    x = k.Input(batch_shape=(SAMPLES, 3, 4))
    layer = k.layers.TimeDistributed(_user_layer(k))
    return x, layer(k.layers.Masking()(x)), layer


def _words_and_sentences(k: Any) -> Built:
    x = k.Input((3, 4))
    h = k.layers.Embedding(5, 3, mask_zero=True)(x)
    layer = k.layers.TimeDistributed(k.layers.LSTM(2))
    return x, k.layers.LSTM(3, return_sequences=True)(layer(h)), layer


def _embedded_steps(k: Any) -> Built:
    x = k.Input((3, 4))
    layer = k.layers.TimeDistributed(k.layers.Embedding(5, 3, mask_zero=True))
    return x, k.layers.TimeDistributed(k.layers.GRU(2, return_sequences=True))(layer(x)), layer


DENSE = {"activation": "tanh", "activity_regularizer": "l2", "kernel_regularizer": "l2"}
_case("td_dense", lambda k: _each_step(k, k.layers.Dense(2, **DENSE), (3, 4)))
_case("td_dense_masked", lambda k: _each_step(k, k.layers.Dense(2), (3, 4), True))
_case("td_dense_masked_deep", lambda k: _each_step(k, k.layers.Dense(2), (3, 2, 4), True))
_case("td_conv1d", lambda k: _each_step(k, k.layers.Conv1D(2, 2), (3, 5, 2)))
_case("td_conv2d", lambda k: _each_step(k, k.layers.Conv2D(2, 3, padding="same"), (2, 4, 3, 2)))
_case("td_flatten", lambda k: _each_step(k, k.layers.Flatten(), (2, 3, 2)))
_case("td_max", lambda k: _each_step(k, k.layers.MaxPooling2D(), (2, 4, 4, 1)))
_case("td_batchnorm", lambda k: _each_step(k, k.layers.BatchNormalization(momentum=0.7), (3, 4)))
_case("td_batchnorm_masked", lambda k: _each_step(k, k.layers.BatchNormalization(momentum=0.7), (3, 4), True))
_case("td_lstm", lambda k: _each_step(k, k.layers.LSTM(2), (3, 4, 2)))
_case("td_lstm_masked", lambda k: _each_step(k, k.layers.LSTM(2), (3, 4, 2), True))
_case("td_lstm_sequences_masked", lambda k: _each_step(k, k.layers.LSTM(2, return_sequences=True), (3, 4, 2), True))
_case("td_masking", lambda k: _each_step(k, k.layers.Masking(), (3, 4, 2)))
_case("td_td", lambda k: _each_step(k, k.layers.TimeDistributed(k.layers.Dense(2)), (2, 3, 4)))
_case("td_td_masked", lambda k: _each_step(k, k.layers.TimeDistributed(k.layers.Dense(2)), (2, 3, 4), True))
_case("td_bidirectional", lambda k: _each_step(k, k.layers.Bidirectional(k.layers.GRU(2)), (3, 4, 2)))
_case("td_functional", lambda k: _each_step(k, _functional(k), (3, 4)))
_case("td_user", lambda k: _each_step(k, _user_layer(k), (3, 4)))
_case("td_user_masked", lambda k: _each_step(k, _user_layer(k), (3, 4), True))
_case("td_user_fixed_batch", _fixed_batch)
_case("td_words", _words_and_sentences)
_case("td_embedding", _embedded_steps)


def _sequential(k: Any, *layers: Any) -> Any:
    return k.Sequential(list(layers))


def _net(k: Any) -> Any:
    conv = k.layers.Conv2D(2, 2, activation="relu", input_shape=(4, 4, 1))
    return _sequential(k, conv, k.layers.MaxPooling2D(), k.layers.Flatten(), k.layers.Dense(2))


_case("td_cnn", lambda k: _each_step(k, _net(k), (3, 4, 4, 1), behind=k.layers.LSTM(2)))
_case("td_sequential", lambda k: _each_step(k, _sequential(k, k.layers.Dense(2, input_shape=(4,))), (3, 4), True))


def _masking_inside(k: Any) -> Built:
    inner = _sequential(k, k.layers.Masking(input_shape=(4, 2)), k.layers.LSTM(2, return_sequences=True))
    return _each_step(k, inner, (3, 4, 2))


_case("td_masking_inside", _masking_inside)


def _statistics_inside(k: Any) -> Built:
    inner = _sequential(k, k.layers.Dense(3, input_shape=(4,), **DENSE), k.layers.BatchNormalization(momentum=0.7))
    return _each_step(k, inner, (3, 4))


_case("td_model_with_statistics", _statistics_inside)


# --- Bidirectional ---------------------------------------------------------------------------------------------------


def _both_ways(k: Any, inner: Any, masked: bool = False, steps: int = 5, **options: Any) -> Built:
    x = k.Input((steps, 3))
    layer = k.layers.Bidirectional(inner, **options)
    return x, layer(k.layers.Masking()(x) if masked else x), layer


KINDS = ("SimpleRNN", "LSTM", "GRU")
for _kind in KINDS:
    for _mode in ("concat", "sum", "mul", "ave", None):
        for _whole in (False, True):
            _case(
                f"bi_{_kind}_{_mode}_{'sequences' if _whole else 'last'}",
                lambda k, n=_kind, m=_mode, w=_whole: _both_ways(
                    k, getattr(k.layers, n)(2, return_sequences=w), masked=w, merge_mode=m
                ),
            )
    _case(f"bi_{_kind}_masked", lambda k, n=_kind: _both_ways(k, getattr(k.layers, n)(2), True))
    _case(f"bi_{_kind}_states", lambda k, n=_kind: _both_ways(k, getattr(k.layers, n)(2, return_state=True)))
    _case(
        f"bi_{_kind}_states_masked",
        lambda k, n=_kind: _both_ways(
            k, getattr(k.layers, n)(2, return_state=True, return_sequences=True), True, merge_mode=None
        ),
    )


def _begun(k: Any, kind: str, as_list: bool) -> Built:
    x = k.Input((5, 3))
    first = k.layers.GlobalAveragePooling1D()(x)
    count = 4 if kind == "LSTM" else 2
    states = [k.layers.Dense(2, activation="tanh")(first) for _ in range(count)]
    layer = k.layers.Bidirectional(getattr(k.layers, kind)(2, return_sequences=True))
    return x, layer([x, *states]) if as_list else layer(x, initial_state=states), layer


for _kind in KINDS:
    _case(f"bi_{_kind}_begun", lambda k, n=_kind: _begun(k, n, False))
_case("bi_LSTM_begun_by_list", lambda k: _begun(k, "LSTM", True))


def _encoder_and_decoder(k: Any) -> Built:
    x = k.Input((5, 3))
    layer = k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True, return_state=True))
    y, *states = layer(x)
    join = k.layers.Concatenate()
    h, c = join([states[0], states[2]]), k.layers.concatenate([states[1], states[3]])
    decoded = k.layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    return x, decoded, layer


_case("bi_encoder", _encoder_and_decoder)
_case("bi_backwards", lambda k: _both_ways(k, k.layers.LSTM(2, go_backwards=True, return_sequences=True)))
_case(
    "bi_own_backward",
    lambda k: _both_ways(k, k.layers.LSTM(2), backward_layer=k.layers.GRU(3, go_backwards=True, activation="relu")),
)
_case(
    "bi_regularized",
    lambda k: _both_ways(
        k, k.layers.LSTM(2, activity_regularizer="l2", kernel_regularizer="l2", recurrent_activation="hard_sigmoid")
    ),
)
_case("bi_constrained", lambda k: _both_ways(k, k.layers.GRU(2, kernel_constraint="non_neg", reset_after=False)))


def _stacked(k: Any) -> Built:
    x = k.Input((5, 3))
    layer = k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True))
    h = layer(k.layers.Masking()(x))
    return x, k.layers.Bidirectional(k.layers.GRU(2, return_sequences=True))(h), layer


_case("bi_stacked", _stacked)


# --- layers that keep their states -----------------------------------------------------------------------------------


def _stateful(k: Any, layer: Any, *shape: int) -> Any:
    x = k.Input(batch_shape=(4, *shape))
    return k.Model(x, layer(x))


STATEFUL: dict[str, Callable[[Any], Any]] = {
    "stateful_LSTM": lambda k: _stateful(k, k.layers.Bidirectional(k.layers.LSTM(2, stateful=True)), 3, 2),
    "stateful_GRU_sequences": lambda k: _stateful(
        k, k.layers.Bidirectional(k.layers.GRU(2, stateful=True, return_sequences=True), merge_mode="sum"), 3, 2
    ),
}


def predictions(model: Any) -> Any:
    """Return what a stateful model gives for three batches, and for the first again once its layers are reset."""
    x = np.random.RandomState(6).randn(12, *model.input_shape[1:]).astype("float32")
    batches = [model.predict_on_batch(x[i : i + 4]) for i in (0, 4, 8)]
    model.reset_states()
    return np.stack([np.asarray(y) for y in [*batches, model.predict_on_batch(x[:4])]])


# --- data and weights, the same on both sides ------------------------------------------------------------------------


def data(shape: tuple[int, ...], of_words: bool) -> np.ndarray[Any, Any]:
    """Return the input of a case: padded with zeros in several places, where a mask may begin."""
    random = np.random.RandomState(3)
    if of_words:
        return random.randint(0, 5, (SAMPLES, *shape)).astype("float32")
    x = random.randn(SAMPLES, *shape).astype("float32")
    x[::3, -1:] = 0
    x[1::4, :1] = 0
    if len(shape) > 2:
        x[2::4, 1, 1:] = 0
    return x


def fill(weights: list[Any], names: list[str]) -> list[np.ndarray[Any, Any]]:
    """Return values for weights that do not depend on a generator."""
    values = []
    for i, (weight, name) in enumerate(zip(weights, names)):
        wave = np.sin(np.arange(np.prod(weight.shape)) * (1 + i) + 1 + i).reshape(weight.shape)
        values.append((1 + 0.3 * wave if "variance" in name else 0.7 * wave).astype("float32"))
    return values


def with_head(k: Any, x: Any, outputs: Any) -> Any:
    """Return the model that trains: two numbers of all outputs."""
    parts = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    flat = [part if len(part.shape) == 2 else k.layers.Flatten()(part) for part in parts]
    return k.Model(x, k.layers.Dense(2)(k.layers.concatenate(flat) if len(flat) > 1 else flat[0]))


def targets() -> np.ndarray[Any, Any]:
    """Return what the models are trained on."""
    return np.random.RandomState(4).randn(SAMPLES, 2).astype("float32")
