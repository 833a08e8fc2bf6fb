"""Types, configurations, errors and loss scales of mixed precision."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}
POLICIES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
MIXED = ("mixed_float16", "mixed_bfloat16")


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter a fact, which leaves the global policy as it was."""

    @functools.wraps(function)
    def seen(keras: Keras) -> Any:
        try:
            return function(keras)
        finally:
            keras.mixed_precision.set_global_policy("float32")

    FACTS[function.__name__] = seen
    return function


def kind(value: Any) -> str:
    """Return the name of a type, of a tensor perhaps."""
    dtype = getattr(value, "dtype", value)
    return str(getattr(dtype, "name", str(dtype).removeprefix("torch.")))


def error_of(call: Callable[[], Any]) -> str:
    """Return the class of the error that a call ends in, or what it returns."""
    try:
        return str(call())
    except Exception as error:
        return type(error).__name__


# --- policies --------------------------------------------------------------------------------------------------------


@fact
def policies(keras: Keras) -> Any:
    made = [keras.mixed_precision.Policy(name) for name in (*POLICIES, "int32")]
    return [[p.name, p.compute_dtype, p.variable_dtype, p.get_config(), repr(p)] for p in made]


@fact
def policies_that_there_are_not(keras: Keras) -> Any:
    mp = keras.mixed_precision
    names = ("mixed_int8", "foo", "mixed_float32", 3, None)
    seen = {str(name): error_of(functools.partial(mp.Policy, name)) for name in names}
    return {**seen, **{f"set {n}": error_of(functools.partial(mp.set_global_policy, n)) for n in ("int32", "foo", 3)}}


@fact
def the_global_policy(keras: Keras) -> Any:
    mp, seen = keras.mixed_precision, []
    for policy in ("mixed_float16", mp.Policy("mixed_bfloat16"), "float64"):
        mp.set_global_policy(policy)
        seen.append([mp.global_policy().name, keras.backend.floatx(), kind(keras.Input((3,)))])
    mp.set_global_policy(None)
    keras.backend.set_floatx("float64")
    seen.append([mp.global_policy().name, keras.layers.Dense(2).dtype])
    keras.backend.set_floatx("float32")
    return seen


@fact
def dtype_of_a_layer(keras: Keras) -> Any:
    mp = keras.mixed_precision
    values = ["float64", "mixed_float16", mp.Policy("mixed_bfloat16"), np.float64, None]
    values.append({"class_name": "Policy", "config": {"name": "mixed_float16"}})
    seen = []
    for policy in ("float32", "mixed_bfloat16"):
        mp.set_global_policy(policy)
        for value in values:
            layer = keras.layers.Dense(2, dtype=value)
            stated = layer.get_config()["dtype"]
            stated = stated if isinstance(stated, str) else [stated["class_name"], stated["config"]]
            again = type(layer).from_config(layer.get_config())
            types = [layer.dtype, layer.variable_dtype, layer.compute_dtype, layer.dtype_policy.name]
            seen.append([*types, stated, again.dtype_policy.name])
    return seen


@fact
def a_model_keeps_the_policies_of_its_layers(keras: Keras) -> Any:
    mp, L = keras.mixed_precision, keras.layers
    mp.set_global_policy("mixed_bfloat16")
    x = keras.Input((3,))
    h = L.Bidirectional(L.GRU(2))(L.Reshape((3, 1))(x))
    models = [
        keras.Sequential([L.Dense(2, input_shape=(3,)), L.Dense(1, dtype="float32")]),
        keras.Model(x, L.Dense(1, dtype="float32")(L.Dense(2)(h))),
    ]
    mp.set_global_policy("float32")
    seen = []
    for model in models:
        copies = [type(model).from_config(model.get_config()), keras.models.clone_model(model)]
        copies.append(keras.models.model_from_json(model.to_json()))
        for one in (model, *copies):
            layers = [layer.dtype_policy.name for layer in one.layers if not isinstance(layer, L.InputLayer)]
            seen.append([layers, [kind(w) for w in one.weights], kind(one.output)])
    return seen


# --- layers ----------------------------------------------------------------------------------------------------------

ROW, STEPS, IMAGE, VOLUME = (4,), (4, 3), (6, 6, 2), (4, 4, 4, 1)
# Class → arguments and the shape of a sample; `None` for that of integers.
LAYERS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "Dense": ({"units": 2, "activation": "softmax"}, ROW),
    "Activation": ({"activation": "tanh"}, ROW),
    "Dropout": ({"rate": 0.5}, ROW),
    "Flatten": ({}, STEPS),
    "Reshape": ({"target_shape": (12,)}, STEPS),
    "Permute": ({"dims": (2, 1)}, STEPS),
    "RepeatVector": ({"n": 2}, ROW),
    "Masking": ({}, STEPS),
    "ActivityRegularization": ({"l2": 0.1}, ROW),
    "Embedding": ({"input_dim": 5, "output_dim": 3}, ROW),
    "BatchNormalization": ({}, ROW),
    "LayerNormalization": ({}, ROW),
    "GroupNormalization": ({"groups": 2}, ROW),
    "UnitNormalization": ({}, ROW),
    "Conv1D": ({"filters": 2, "kernel_size": 2}, STEPS),
    "Conv2D": ({"filters": 2, "kernel_size": 3, "activation": "relu"}, IMAGE),
    "Conv3D": ({"filters": 2, "kernel_size": 2}, VOLUME),
    "MaxPooling1D": ({}, STEPS),
    "MaxPooling2D": ({}, IMAGE),
    "MaxPooling3D": ({}, VOLUME),
    "AveragePooling1D": ({}, STEPS),
    "AveragePooling2D": ({}, IMAGE),
    "AveragePooling3D": ({}, VOLUME),
    "GlobalMaxPooling1D": ({}, STEPS),
    "GlobalMaxPooling2D": ({}, IMAGE),
    "GlobalMaxPooling3D": ({}, VOLUME),
    "GlobalAveragePooling1D": ({}, STEPS),
    "GlobalAveragePooling2D": ({}, IMAGE),
    "GlobalAveragePooling3D": ({}, VOLUME),
    "ZeroPadding1D": ({}, STEPS),
    "ZeroPadding2D": ({}, IMAGE),
    "ZeroPadding3D": ({}, VOLUME),
    "Cropping1D": ({}, STEPS),
    "Cropping2D": ({"cropping": 1}, IMAGE),
    "Cropping3D": ({}, VOLUME),
    "UpSampling1D": ({}, STEPS),
    "UpSampling2D": ({}, IMAGE),
    "UpSampling3D": ({}, VOLUME),
    "SpatialDropout1D": ({"rate": 0.5}, STEPS),
    "SpatialDropout2D": ({"rate": 0.5}, IMAGE),
    "SpatialDropout3D": ({"rate": 0.5}, VOLUME),
    "GaussianNoise": ({"stddev": 1.0}, ROW),
    "GaussianDropout": ({"rate": 0.5}, ROW),
    "AlphaDropout": ({"rate": 0.5}, ROW),
    "LeakyReLU": ({}, ROW),
    "PReLU": ({}, ROW),
    "ELU": ({}, ROW),
    "ThresholdedReLU": ({}, ROW),
    "ReLU": ({}, ROW),
    "Softmax": ({}, ROW),
    "SimpleRNN": ({"units": 2}, STEPS),
    "LSTM": ({"units": 2, "return_sequences": True}, STEPS),
    "GRU": ({"units": 2}, STEPS),
}
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def types_of(layer: Any, output: str | None) -> str:
    """Return what a layer computes in, keeps its weights in, and gives; the last two where it has a kernel."""
    known = "" if output is None else f"; weights {' '.join(map(kind, layer.weights))}; gives {output}"
    return f"{layer.compute_dtype} {layer.variable_dtype}{known}"


def output_type(layer: Any, x: Any, **options: Any) -> str | None:
    """Return the type of a layer's output; `None` where it has no kernel for its type."""
    try:
        return kind(layer(x, **options))
    except Exception as error:
        if type(error).__name__ not in ("NotFoundError", "UnimplementedError", "InvalidArgumentError"):
            raise
        return None


@fact
def types_of_layers(keras: Keras) -> Any:
    seen: dict[str, Any] = {}
    for policy in POLICIES:
        keras.mixed_precision.set_global_policy(policy)
        for name, (arguments, shape) in LAYERS.items():
            layer = getattr(keras.layers, name)(**arguments)
            x = np.ones((2, *shape), "int32" if name == "Embedding" else "float32")
            seen[f"{name} {policy}"] = types_of(layer, output_type(layer, x))
        for name in MERGING:
            layer = getattr(keras.layers, name)()
            seen[f"{name} {policy}"] = types_of(layer, output_type(layer, [np.ones((2, 3), "float32")] * 2))
        for name in ("Attention", "AdditiveAttention"):
            layer = getattr(keras.layers, name)()
            seen[f"{name} {policy}"] = types_of(layer, output_type(layer, [np.ones((2, *STEPS), "float32")] * 2))
        for name, layer in (
            ("TimeDistributed", keras.layers.TimeDistributed(keras.layers.Dense(2))),
            ("Bidirectional", keras.layers.Bidirectional(keras.layers.LSTM(2))),
            ("RNN", keras.layers.RNN([keras.layers.GRUCell(2), keras.layers.LSTMCell(2)])),
        ):
            seen[f"{name} {policy}"] = types_of(layer, output_type(layer, np.ones((2, *STEPS), "float32")))
    return seen


@fact
def types_in_a_graph(keras: Keras) -> Any:
    L, seen = keras.layers, []
    for policy in MIXED:
        keras.mixed_precision.set_global_policy(policy)
        x = keras.Input((4,))
        h = L.Dense(4)(x)
        tensors = [x, h, L.Add()([x, h]), L.Add(dtype="float32")([x, h]), L.Dense(2, dtype="float32")(h)]
        tensors += [L.Dense(2, dtype="float64")(h), L.Softmax(dtype="float32")(h), L.Activation("relu")(h)]
        model = keras.Model(x, tensors[1:])
        outputs = model.predict(np.ones((2, 4), "float32"), verbose=0)
        seen.append([[kind(t) for t in tensors], [kind(y) for y in outputs]])
    seen[1][1] = None  # numpy has no bfloat16
    return seen


@fact
def types_that_a_users_layer_sees(keras: Keras) -> Any:
    K, seen = keras.backend, []

    class Noting(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(3,), initializer="ones")
            self.fixed = self.add_weight(name="fixed", shape=(3,), trainable=False, initializer="ones")
            self.kept = self.add_weight(name="kept", shape=(3,), initializer="ones", experimental_autocast=False)
            self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)
            self.double = self.add_weight(name="double", shape=(3,), dtype="float64", initializer="ones")

        def call(self, inputs: Any, more: Any = None) -> Any:
            x = inputs["a"] if isinstance(inputs, dict) else inputs
            inside = [kind(x), None if more is None else kind(more), kind(self.w), kind(self.w * 2)]
            inside += [kind(self.fixed * 2), kind(self.kept * 2), kind(self.count), kind(self.double * 2)]
            seen.append([self.name, *inside])
            return x

    ones = np.ones((2, 3), "float32")
    for policy in ("mixed_float16", "mixed_bfloat16", "float32", "float64"):
        layer = Noting(dtype=policy, name=policy)
        layer(K.constant(ones))
        seen.append([kind(w) for w in layer.weights] + [kind(layer.w), kind(layer.w * 2)])
    layer = Noting(dtype="mixed_float16", name="inputs")
    layer(K.constant(ones, dtype="float64"))
    layer(K.constant(ones, dtype="int32"))
    layer(K.constant(ones), more=K.constant(ones))
    layer({"a": K.constant(ones), "b": K.constant(ones, dtype="int32")})
    Noting(dtype="mixed_float16", name="as_they_come", autocast=False)(K.constant(ones))
    Noting(dtype="float32", name="back_in_float32")(K.constant(ones, dtype="float16"))
    return seen


@fact
def side_losses(keras: Keras) -> Any:
    keras.mixed_precision.set_global_policy("mixed_float16")
    layer = keras.layers.Dense(3, activity_regularizer="l2", kernel_regularizer="l2")
    layer(np.ones((2, 3), "float32"))
    return [kind(loss) for loss in layer.losses]


@fact
def states(keras: Keras) -> Any:
    layer = keras.layers.LSTM(3, stateful=True, batch_input_shape=(2, 4, 5), dtype="mixed_float16")
    model = keras.Sequential([layer])
    y = model(np.ones((2, 4, 5), "float32"))
    return [kind(y), [kind(state) for state in layer.states]]


# --- the loss scale --------------------------------------------------------------------------------------------------

GRADIENTS = (1.0, np.inf, 1.0, 1.0, 1.0, np.nan, -np.inf, np.inf, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def trajectory(keras: Keras, inner: Any, **options: Any) -> list[str]:
    """Return scale, counter, number of steps and weights as an optimizer goes over gradients, a line a step."""
    optimizer = keras.mixed_precision.LossScaleOptimizer(inner, **options)
    v, seen = keras.backend.variable([1.0, 2.0]), []
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(keras.backend.constant([gradient, 0.5]), v)])
        counter = None if optimizer.dynamic_counter is None else int(optimizer.dynamic_counter)
        weights = " ".join(f"{w:.5f}" for w in keras.backend.get_value(v))
        seen.append(f"{float(optimizer.loss_scale)} {counter} {int(optimizer.iterations)} {weights}")
    return seen


@fact
def trajectories(keras: Keras) -> Any:
    O = keras.optimizers  # noqa: E741
    rate = O.schedules.ExponentialDecay(0.1, 2, 0.5)
    return {
        "sgd": trajectory(keras, O.SGD(0.1), initial_scale=4, dynamic_growth_steps=3),
        "momentum": trajectory(keras, O.SGD(0.1, momentum=0.9), initial_scale=2, dynamic_growth_steps=2),
        "adam": trajectory(keras, O.Adam(0.1), initial_scale=1024.0, dynamic_growth_steps=4),
        "rmsprop, a schedule": trajectory(keras, O.RMSprop(rate), initial_scale=0.5, dynamic_growth_steps=1),
        "clipped": trajectory(keras, O.SGD(0.1, clipnorm=0.3), initial_scale=3e38, dynamic_growth_steps=2),
        "as made": trajectory(keras, O.SGD(0.1)),
    }


@fact
def a_fixed_scale(keras: Keras) -> Any:
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1), dynamic=False, initial_scale=8)
    v = keras.backend.variable([1.0])
    optimizer.apply_gradients([(keras.backend.constant([np.inf]), v)])
    numbers = [float(optimizer.loss_scale), optimizer.initial_scale, optimizer.dynamic_growth_steps]
    return [*numbers, optimizer.dynamic_counter, optimizer.dynamic, str(keras.backend.get_value(v)[0])]


@fact
def scaling_by_hand(keras: Keras) -> Any:
    K = keras.backend
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=4)
    scaled = [optimizer.get_scaled_loss(K.constant(2.0, dtype=d)) for d in ("float16", "float32", "float64")]
    scaled.append(optimizer.get_scaled_loss(lambda: K.constant(3.0))())
    unscaled = optimizer.get_unscaled_gradients([K.constant(2.0), None, K.constant(6.0, dtype="float16")])
    return [[[kind(s), float(s)] for s in scaled], [None if g is None else [kind(g), float(g)] for g in unscaled]]


@fact
def what_a_loss_scale_optimizer_refuses(keras: Keras) -> Any:
    L, sgd = keras.mixed_precision.LossScaleOptimizer, keras.optimizers.SGD
    return [
        error_of(lambda: L("sgd")),
        error_of(lambda: L(sgd(), dynamic=False)),
        error_of(lambda: L(sgd(), dynamic=False, initial_scale=2, dynamic_growth_steps=3)),
        error_of(lambda: L(L(sgd()))),
        error_of(lambda: L(sgd(), dynamic=1)),
        error_of(lambda: L(sgd()).no_such_attribute),
    ]


@fact
def which_models_scale_their_loss(keras: Keras) -> Any:
    mp, L, seen = keras.mixed_precision, keras.layers, []
    for policy in POLICIES:
        mp.set_global_policy(policy)
        model = keras.Sequential([L.Dense(2, input_shape=(3,))])
        one_layer = keras.Sequential([L.Dense(2, input_shape=(3,), dtype="mixed_float16")])
        mp.set_global_policy("float32")
        for built, optimizer in (
            (model, "sgd"),
            (one_layer, "sgd"),
            (model, mp.LossScaleOptimizer(keras.optimizers.SGD())),
        ):
            built.compile(optimizer, "mse")
            is_one = isinstance(built.optimizer, mp.LossScaleOptimizer)
            seen.append([policy, is_one, isinstance(built.optimizer, keras.optimizers.Optimizer)])
    return seen


@fact
def the_state_of_the_optimizer(keras: Keras) -> Any:
    keras.mixed_precision.set_global_policy("mixed_float16")
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    optimizer, config = model.optimizer, model.optimizer.get_config()
    config["inner_optimizer"] = config["inner_optimizer"]["class_name"]
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    same = {**again.get_config(), "inner_optimizer": "Adam"} == config
    rates = [round(float(optimizer.learning_rate), 5)]
    optimizer.learning_rate = 0.5
    rates += [round(float(one.learning_rate), 5) for one in (optimizer, optimizer.inner_optimizer)]
    variables = [[kind(v), int(np.prod(getattr(v, "shape", ())))] for v in optimizer.variables]
    return [config, same, rates, variables, int(optimizer.iterations)]


# --- numbers ---------------------------------------------------------------------------------------------------------


@fact
def losses_of_a_small_net(keras: Keras) -> Any:
    L, seen = keras.layers, {}
    rng = np.random.RandomState(3)
    x, y = rng.randn(32, 6, 2).astype("float32"), rng.randint(0, 3, (32,))
    shapes = [(3, 2, 4), (4,), (4, 20), (5, 20), (20,), (5, 3), (3,)]
    weights = [(rng.randn(*shape) * 0.4).astype("float32") for shape in shapes]
    for policy in ("float32", "float64", "mixed_float16", "mixed_bfloat16"):
        keras.mixed_precision.set_global_policy(policy)
        net = [L.Conv1D(4, 3, activation="relu", input_shape=(6, 2)), L.LSTM(5)]
        model = keras.Sequential([*net, L.Dense(3), L.Activation("softmax", dtype="float32")])
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
        model.set_weights(weights)
        seen[policy] = " ".join(f"{float(model.train_on_batch(x, y)):.6f}" for _ in range(20))
    return seen


@fact
def losses_and_metrics_of_short_outputs(keras: Keras) -> Any:
    seen: dict[str, Any] = {}
    x, y = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32"), np.eye(3, dtype="float32")[[0, 2, 1, 1]]
    for loss, activation in (
        ("mse", None),
        ("categorical_crossentropy", "softmax"),
        ("binary_crossentropy", "sigmoid"),
    ):
        for policy in MIXED:
            keras.mixed_precision.set_global_policy(policy)
            model = keras.Sequential([keras.layers.Dense(3, activation=activation, input_shape=(3,))])
            model.compile("sgd", loss, metrics=["mae", "accuracy"])
            model.set_weights([np.linspace(-2, 1, 9).reshape(3, 3), np.zeros(3)])
            seen[f"{loss} {policy}"] = [float(value) for value in model.evaluate(x, y, verbose=0)]
    return seen
