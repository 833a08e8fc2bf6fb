"""Losses, weights and metrics by output, as lists and as dictionaries; ways of feeding them."""

from __future__ import annotations

from typing import Any

from ..case import Case, Keras, Table, bits, labels, onehot, real, weight

TABLE = Table()

X = [real(5), real(3)]
Y: Any = [real(2), onehot(3)]
NAMED_Y = {"number": real(2), "kind": onehot(3)}
W = [weight(), weight()]
LOSSES = {"loss": ["mse", "categorical_crossentropy"]}
NAMED_LOSSES = {"loss": {"kind": "categorical_crossentropy", "number": "mse"}}


def two_heads(keras: Keras) -> Any:
    """Build two inputs and the outputs `number` and `kind`."""
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    h = L.Dense(5, activation="tanh")(L.concatenate([a, b]))
    return keras.Model([a, b], [L.Dense(2, name="number")(h), L.Dense(3, activation="softmax", name="kind")(h)])


def one_head(keras: Keras) -> Any:
    """Build two inputs and one output."""
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], L.Dense(3, activation="softmax", name="kind")(L.concatenate([a, b])))


def entered(name: str, compile: Any, *, y: Any = Y, build: Any = two_heads, x: Any = X, **fields: Any) -> None:
    """Enter one way of compiling and feeding a model."""
    TABLE.append(Case(name, build, x, y, compile, **fields))


def _objects(keras: Keras) -> dict[str, Any]:
    M = keras.metrics
    return {
        "loss": [keras.losses.Huber(delta=0.5), keras.losses.CategoricalCrossentropy(label_smoothing=0.1)],
        "metrics": [
            [M.MeanAbsoluteError(name="away"), M.RootMeanSquaredError()],
            [M.CategoricalAccuracy(name="right"), M.TopKCategoricalAccuracy(k=2), M.AUC()],
        ],
    }


def _own(keras: Keras) -> dict[str, Any]:
    K = keras.backend

    def fourth_power(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.pow(y_true - y_pred, 4), axis=-1)

    def largest(y_true: Any, y_pred: Any) -> Any:
        return K.max(y_pred, axis=-1)

    return {"loss": {"number": fourth_power, "kind": "kld"}, "metrics": {"kind": [largest, "mse"], "number": largest}}


entered("losses_in_a_list", {**LOSSES, "loss_weights": [2.0, 0.25]})
entered("losses_in_a_dictionary", {**NAMED_LOSSES, "loss_weights": {"number": 0.5, "kind": 2.0}}, y=NAMED_Y)
entered("loss_weights_for_one_output", {**NAMED_LOSSES, "loss_weights": {"kind": 0.1}})
entered("one_loss_for_all", {"loss": "mse", "loss_weights": [1.0, 3.0]})
entered("output_without_a_loss", {"loss": ["mse", None], "metrics": [["mae"], ["accuracy"]]}, untrained=2)
entered(
    "output_left_out_of_the_losses",
    {"loss": {"kind": "categorical_crossentropy"}, "metrics": {"kind": "accuracy"}},
    untrained=2,
)
entered("loss_objects_and_metric_objects", _objects)
entered("functions_of_ones_own", _own)
entered("metrics_flat", {**LOSSES, "metrics": ["mae", "mse"]})
entered("metrics_one_by_output", {**LOSSES, "metrics": ["mae", "accuracy"]})
entered("metrics_in_lists", {**LOSSES, "metrics": [["mae", "mse"], ["accuracy"]]})
entered("metrics_none_for_one", {**LOSSES, "metrics": [None, ["accuracy"]]})
entered("metrics_in_a_dictionary", {**NAMED_LOSSES, "metrics": {"kind": ["accuracy", "mae"], "number": "mse"}})
entered(
    "weighted_metrics_in_lists",
    {**LOSSES, "metrics": [["mae"], ["accuracy"]], "weighted_metrics": [["mae"], ["accuracy"]]},
    sample_weight=W,
)
entered(
    "weighted_metrics_in_a_dictionary",
    {**NAMED_LOSSES, "weighted_metrics": {"kind": ["accuracy"]}, "metrics": {"number": ["mae"]}},
    y=NAMED_Y,
    sample_weight={"kind": weight(), "number": weight()},
)
entered("sample_weights_in_a_list", LOSSES, sample_weight=W)
entered("sample_weights_by_name", NAMED_LOSSES, sample_weight={"number": weight(), "kind": weight()})
entered("sample_weight_for_both", {**LOSSES, "weighted_metrics": [["mae"], []]}, sample_weight=weight())
entered("sample_weight_for_one_of_two", NAMED_LOSSES, y=NAMED_Y, sample_weight={"kind": weight()})
entered(
    "class_weight_with_two_inputs",
    {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
    y=onehot(3),
    build=one_head,
    fit={"class_weight": {0: 0.5, 1: 1.0, 2: 3.0}},
)
entered(
    "sample_weight_and_validation_split",
    {**LOSSES, "metrics": [["mae"], ["accuracy"]], "weighted_metrics": [[], ["accuracy"]]},
    sample_weight=W,
    fit={"validation_split": 0.3},
)
entered(
    "validation_split_of_dictionaries",
    NAMED_LOSSES,
    x={"a": X[0], "b": X[1]},
    y=NAMED_Y,
    fit={"validation_split": 0.25},
)
entered("validation_data_in_lists", {**LOSSES, "metrics": [["mae"], ["accuracy"]]}, validation=True)
entered(
    "validation_data_by_name_and_weighted",
    {**NAMED_LOSSES, "weighted_metrics": {"number": ["mae"]}},
    x={"b": X[1], "a": X[0]},
    y=NAMED_Y,
    sample_weight={"number": weight(), "kind": weight()},
    validation=True,
)
for _feed in ("generator", "sequence"):
    entered(f"fed_by_a_{_feed}", {**LOSSES, "metrics": [["mae"], ["accuracy"]]}, feed=_feed)
    entered(
        f"fed_by_a_{_feed}_by_name",
        {**NAMED_LOSSES, "metrics": {"kind": ["accuracy"]}},
        y=NAMED_Y,
        sample_weight={"number": weight(), "kind": weight()},
        feed=_feed,
        validation=True,
    )


@TABLE.case(
    x=real(6, 3),
    y=[real(6, 2), real(1)],
    sample_weight=[weight(6), weight()],
    compile={"loss": ["mse", "mae"], "weighted_metrics": [["mae"], ["mse"]]},
)
def weights_of_steps_and_of_samples(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 3))
    h = L.GRU(3, return_sequences=True)(x)
    return keras.Model(x, [L.Dense(2, name="each")(h), L.Dense(1, name="whole")(L.GlobalAveragePooling1D()(h))])


@TABLE.case(
    x=real(5),
    y=[bits(1), labels(3), onehot(3)],
    compile={
        "loss": ["binary_crossentropy", "sparse_categorical_crossentropy", "categorical_crossentropy"],
        "metrics": ["accuracy"],
    },
)
def accuracy_of_three_kinds(keras: Keras) -> Any:
    """`'accuracy'` is resolved for each output by its own loss and shapes."""
    L = keras.layers
    x = keras.Input((5,))
    units = ((1, "sigmoid"), (3, "softmax"), (3, "softmax"))
    return keras.Model(x, [L.Dense(n, activation=activation)(x) for n, activation in units])


@TABLE.case(x=real(5), y=[labels(2), real()], compile={"loss": ["binary_crossentropy", "mse"], "metrics": ["mse"]})
def targets_without_an_axis_of_units(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    return keras.Model(x, [L.Dense(1, activation="sigmoid")(x), L.Dense(1)(x)])
