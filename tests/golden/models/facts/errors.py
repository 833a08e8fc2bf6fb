"""What is refused, and by which kind of exception; `None` where Keras takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}
ROWS = 6
X, OTHER = np.ones((ROWS, 5), "float32"), np.ones((ROWS, 3), "float32")
Y, Z = np.ones((ROWS, 2), "float32"), np.ones((ROWS, 1), "float32")


def kind(error: Exception) -> str:
    """Return the name of the nearest class of Python's own that the error is."""
    return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


def call(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter what a function does: the kind of exception that it ends in, or None."""

    def fact(keras: Keras) -> Any:
        try:
            function(keras)
        except Exception as error:
            return kind(error)
        return None

    FACTS[function.__name__] = fact
    return function


def one(keras: Keras, **told: Any) -> Any:
    """Return a model of one input and one output."""
    x = keras.Input((5,), name="x")
    model = keras.Model(x, keras.layers.Dense(2, name="y")(x))
    model.compile(optimizer="sgd", **{"loss": "mse", **told})
    return model


def two_inputs(keras: Keras, **told: Any) -> Any:
    """Return a model of two inputs, a and b."""
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], L.Dense(2)(L.concatenate([a, b])))
    model.compile(optimizer="sgd", **{"loss": "mse", **told})
    return model


def two_outputs(keras: Keras, **told: Any) -> Any:
    """Return a model of two outputs, y and z."""
    L = keras.layers
    x = keras.Input((5,), name="x")
    model = keras.Model(x, [L.Dense(2, name="y")(x), L.Dense(1, name="z")(x)])
    model.compile(optimizer="sgd", **{"loss": "mse", **told})
    return model


def fit(model: Any, x: Any, y: Any, **kwargs: Any) -> None:
    """Train for an epoch, in silence."""
    model.fit(x, y, verbose=0, **kwargs)


# Inputs

call_one = {
    "two_arrays_for_one_input_in_fit": lambda keras: fit(one(keras), [X, X], Y),
    "two_arrays_for_one_input_in_predict": lambda keras: one(keras).predict([X, X], verbose=0),
    "two_arrays_for_one_input_in_evaluate": lambda keras: one(keras).evaluate([X, X], Y, verbose=0),
    "two_arrays_for_one_input_in_train_on_batch": lambda keras: one(keras).train_on_batch([X, X], Y),
    "two_arrays_for_one_input_in_a_call": lambda keras: one(keras)([X, X]),
    "a_list_of_one_array": lambda keras: fit(one(keras), [X], [Y]),
    "a_dictionary_of_one_array": lambda keras: fit(one(keras), {"x": X}, {"y": Y}),
    "one_array_for_two_inputs": lambda keras: fit(two_inputs(keras), X, Y),
    "one_array_for_two_inputs_in_predict": lambda keras: two_inputs(keras).predict(X, verbose=0),
    "three_arrays_for_two_inputs": lambda keras: fit(two_inputs(keras), [X, OTHER, X], Y),
    "inputs_in_the_wrong_order": lambda keras: fit(two_inputs(keras), [OTHER, X], Y),
    "inputs_of_two_lengths": lambda keras: fit(two_inputs(keras), [X, OTHER[:4]], Y),
    "inputs_of_two_lengths_in_predict": lambda keras: two_inputs(keras).predict([X, OTHER[:4]], verbose=0),
    "inputs_and_targets_of_two_lengths": lambda keras: fit(two_inputs(keras), [X, OTHER], Y[:4]),
    "a_missing_name_of_an_input": lambda keras: fit(two_inputs(keras), {"a": X}, Y),
    "a_wrong_name_of_an_input": lambda keras: fit(two_inputs(keras), {"a": X, "c": OTHER}, Y),
    "a_name_of_a_wrong_shape": lambda keras: fit(two_inputs(keras), {"a": OTHER, "b": X}, Y),
    "a_tuple_of_inputs": lambda keras: fit(two_inputs(keras), (X, OTHER), Y),
    "features_of_the_wrong_number": lambda keras: fit(one(keras), OTHER, Y),
    "features_of_the_wrong_number_in_predict": lambda keras: one(keras).predict(OTHER, verbose=0),
    "features_of_the_wrong_number_in_a_call": lambda keras: one(keras)(OTHER),
    # Targets and weights
    "one_target_for_two_outputs": lambda keras: fit(two_outputs(keras), X, Y),
    "one_target_in_a_list_for_two_outputs": lambda keras: fit(two_outputs(keras), X, [Y]),
    "three_targets_for_two_outputs": lambda keras: fit(two_outputs(keras), X, [Y, Z, Z]),
    "two_targets_for_one_output": lambda keras: fit(one(keras), X, [Y, Y]),
    "no_target": lambda keras: fit(one(keras), X, None),
    "targets_of_two_lengths": lambda keras: fit(two_outputs(keras), X, [Y, Z[:4]]),
    "a_wrong_name_of_a_target": lambda keras: fit(two_outputs(keras), X, {"y": Y, "q": Z}),
    "a_missing_name_of_a_target": lambda keras: fit(two_outputs(keras), X, {"y": Y}),
    "a_name_of_a_target_too_many": lambda keras: fit(two_outputs(keras), X, {"y": Y, "z": Z, "q": Z}),
    "weights_of_the_wrong_number": lambda keras: fit(two_outputs(keras), X, [Y, Z], sample_weight=[np.ones(ROWS)] * 3),
    "weights_of_the_wrong_length": lambda keras: fit(one(keras), X, Y, sample_weight=np.ones(4)),
    "a_wrong_name_of_weights": lambda keras: fit(two_outputs(keras), X, [Y, Z], sample_weight={"q": np.ones(ROWS)}),
    "weights_for_one_of_two": lambda keras: fit(two_outputs(keras), X, [Y, Z], sample_weight={"y": np.ones(ROWS)}),
    "class_weight_for_two_outputs": lambda keras: fit(
        two_outputs(keras), X, {"y": Y, "z": Z}, class_weight={"y": {0: 1.0}, "z": {0: 1.0, 1: 2.0}}
    ),
    "validation_data_of_one_array": lambda keras: fit(two_outputs(keras), X, [Y, Z], validation_data=(X,)),
    "validation_data_of_too_few_targets": lambda keras: fit(two_outputs(keras), X, [Y, Z], validation_data=(X, [Y])),
    "validation_split_of_a_generator": lambda keras: one(keras).fit(
        iter([(X, Y)]), steps_per_epoch=1, validation_split=0.5, verbose=0
    ),
    "targets_beside_a_generator": lambda keras: one(keras).fit(iter([(X, Y)]), Y, steps_per_epoch=1, verbose=0),
    "a_generator_of_too_many_inputs": lambda keras: one(keras).fit(iter([([X, X], Y)]), steps_per_epoch=1, verbose=0),
    "a_generator_of_too_few_targets": lambda keras: two_outputs(keras).fit(
        iter([(X, [Y])]), steps_per_epoch=1, verbose=0
    ),
    # compile
    "three_losses_for_two_outputs": lambda keras: fit(two_outputs(keras, loss=["mse"] * 3), X, [Y, Z]),
    "one_loss_in_a_list_for_two_outputs": lambda keras: fit(two_outputs(keras, loss=["mse"]), X, [Y, Z]),
    "a_wrong_name_of_a_loss": lambda keras: fit(two_outputs(keras, loss={"y": "mse", "q": "mse"}), X, [Y, Z]),
    "an_output_left_out_of_the_losses": lambda keras: fit(two_outputs(keras, loss={"y": "mse"}), X, [Y, Z]),
    "losses_that_are_all_none": lambda keras: fit(two_outputs(keras, loss=[None, None]), X, [Y, Z]),
    "no_loss": lambda keras: fit(one(keras, loss=None), X, Y),
    "three_loss_weights": lambda keras: fit(two_outputs(keras, loss_weights=[1, 2, 3]), X, [Y, Z]),
    "a_wrong_name_of_a_loss_weight": lambda keras: fit(two_outputs(keras, loss_weights={"q": 1.0}), X, [Y, Z]),
    "a_loss_weight_for_one_of_two": lambda keras: fit(two_outputs(keras, loss_weights={"y": 1.0}), X, [Y, Z]),
    "three_lists_of_metrics": lambda keras: fit(two_outputs(keras, metrics=[["mae"]] * 3), X, [Y, Z]),
    "a_wrong_name_of_a_metric": lambda keras: fit(two_outputs(keras, metrics={"q": "mae"}), X, [Y, Z]),
    "a_wrong_name_of_a_weighted_metric": lambda keras: fit(
        two_outputs(keras, weighted_metrics={"q": ["mae"]}), X, [Y, Z]
    ),
    "an_unknown_loss": lambda keras: fit(two_outputs(keras, loss={"y": "nonsense", "z": "mse"}), X, [Y, Z]),
    "an_unknown_metric": lambda keras: fit(two_outputs(keras, metrics=[["nonsense"], []]), X, [Y, Z]),
}
for _name, _function in call_one.items():
    _function.__name__ = _name
    call(_function)


@call
def fit_before_compile(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model(x, keras.layers.Dense(2)(x)).fit(X, Y, verbose=0)


@call
def evaluate_before_compile(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model(x, keras.layers.Dense(2)(x)).evaluate(X, Y, verbose=0)


@call
def predict_before_compile(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model(x, keras.layers.Dense(2)(x)).predict(X, verbose=0)


# Graphs


@call
def disconnected_graph(keras: Keras) -> None:
    L = keras.layers
    x, y = keras.Input((5,)), keras.Input((5,))
    keras.Model(x, L.add([L.Dense(5)(x), y]))


@call
def output_that_does_not_follow_from_the_input(keras: Keras) -> None:
    x, y = keras.Input((5,)), keras.Input((5,))
    keras.Model(x, keras.layers.Dense(5)(y))


@call
def unused_input(keras: Keras) -> None:
    x, y = keras.Input((5,)), keras.Input((5,))
    keras.Model([x, y], keras.layers.Dense(5)(y)).predict([X, X], verbose=0)


@call
def input_that_is_an_array(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model(X, keras.layers.Dense(5)(x))


@call
def output_that_is_an_array(keras: Keras) -> None:
    keras.Model(keras.Input((5,)), X)


@call
def output_that_is_a_layer(keras: Keras) -> None:
    keras.Model(keras.Input((5,)), keras.layers.Dense(2))


@call
def input_twice(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model([x, x], keras.layers.Dense(2)(x))


@call
def output_twice(keras: Keras) -> None:
    x = keras.Input((5,))
    y = keras.layers.Dense(2)(x)
    keras.Model(x, [y, y]).predict(X, verbose=0)


@call
def input_as_output(keras: Keras) -> None:
    x = keras.Input((5,))
    keras.Model(x, x).predict(X, verbose=0)


@call
def two_layers_of_one_name(keras: Keras) -> None:
    L = keras.layers
    x = keras.Input((5,))
    keras.Model(x, L.Dense(2, name="same")(L.Dense(2, name="same")(x)))


@call
def two_inputs_of_one_name(keras: Keras) -> None:
    a, b = keras.Input((5,), name="same"), keras.Input((5,), name="same")
    keras.Model([a, b], keras.layers.add([a, b]))


@call
def inputs_without_outputs(keras: Keras) -> None:
    keras.Model(keras.Input((5,)))


@call
def model_without_call(keras: Keras) -> None:
    class Empty(keras.Model):  # type: ignore[misc, name-defined]
        pass

    Empty()(X)


@call
def model_without_super_init(keras: Keras) -> None:
    class Hasty(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.dense = keras.layers.Dense(2)

    Hasty()


def _net(keras: Keras) -> Any:
    class Net(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    return Net()


@call
def summary_of_a_subclass_that_is_not_built(keras: Keras) -> None:
    _net(keras).summary(print_fn=len)


@call
def weights_of_a_subclass_that_is_not_built(keras: Keras) -> None:
    _net(keras).count_params()


@call
def clone_of_a_subclass(keras: Keras) -> None:
    model = _net(keras)
    model(X)
    keras.models.clone_model(model)


@call
def json_of_a_subclass_without_get_config(keras: Keras) -> None:
    model = _net(keras)
    model(X)
    keras.models.model_from_json(model.to_json())


@call
def unknown_name_of_a_layer(keras: Keras) -> None:
    one(keras).get_layer("nothing")


@call
def index_of_a_layer_out_of_range(keras: Keras) -> None:
    one(keras).get_layer(index=7)


@call
def neither_name_nor_index_of_a_layer(keras: Keras) -> None:
    one(keras).get_layer()


@call
def output_of_a_layer_that_was_not_called(keras: Keras) -> None:
    keras.layers.Dense(2).output  # noqa: B018


@call
def output_of_a_layer_that_was_called_twice(keras: Keras) -> None:
    shared = keras.layers.Dense(2)
    shared(keras.Input((5,)))
    shared(keras.Input((5,)))
    shared.output  # noqa: B018


@call
def input_shape_of_a_layer_called_on_two_shapes(keras: Keras) -> None:
    shared = keras.layers.Activation("relu")
    shared(keras.Input((5,)))
    shared(keras.Input((4,)))
    shared.input_shape  # noqa: B018


@call
def input_at_a_node_that_is_not_there(keras: Keras) -> None:
    one(keras).layers[1].get_input_at(5)


@call
def truth_of_a_comparison_of_symbolic_tensors(keras: Keras) -> None:
    x = keras.Input((5,))
    if x > 0:
        raise AssertionError


@call
def array_of_a_symbolic_tensor(keras: Keras) -> None:
    np.asarray(keras.Input((5,)), "float32")


@call
def loop_over_a_symbolic_tensor(keras: Keras) -> None:
    for _ in keras.Input((5,)):
        break


@call
def number_of_a_symbolic_tensor(keras: Keras) -> None:
    float(keras.Input((5,)))


@call
def layer_called_without_inputs(keras: Keras) -> None:
    keras.layers.Dense(2)()


@call
def dense_of_two_inputs(keras: Keras) -> None:
    keras.layers.Dense(2)([keras.Input((5,)), keras.Input((5,))])


@call
def convolution_of_too_few_axes(keras: Keras) -> None:
    keras.layers.Conv2D(2, 3)(keras.Input((5, 5)))


@call
def shared_layer_of_another_number_of_features(keras: Keras) -> None:
    shared = keras.layers.Dense(2)
    shared(keras.Input((5,)))
    shared(keras.Input((4,)))


@call
def sequential_with_a_model_of_two_outputs(keras: Keras) -> None:
    keras.Sequential([two_outputs(keras), keras.layers.Dense(2)])


@call
def sequential_with_a_model_of_two_outputs_last(keras: Keras) -> None:
    keras.Sequential([two_outputs(keras)])


# Layers of several inputs


@call
def add_of_shapes_that_do_not_fit(keras: Keras) -> None:
    keras.layers.Add()([keras.Input((5,)), keras.Input((4,))])


@call
def add_of_one_input(keras: Keras) -> None:
    keras.layers.Add()(keras.Input((5,)))


@call
def add_of_a_list_of_one(keras: Keras) -> None:
    keras.layers.Add()([keras.Input((5,))])


@call
def subtract_of_three(keras: Keras) -> None:
    keras.layers.Subtract()([keras.Input((5,)), keras.Input((5,)), keras.Input((5,))])


@call
def concatenate_of_shapes_that_do_not_fit(keras: Keras) -> None:
    keras.layers.Concatenate()([keras.Input((5, 2)), keras.Input((4, 2))])


@call
def concatenate_of_a_list_of_one(keras: Keras) -> None:
    keras.layers.Concatenate()([keras.Input((5,))])


@call
def concatenate_of_two_ranks(keras: Keras) -> None:
    keras.layers.Concatenate()([keras.Input((5,)), keras.Input((4, 5))])


@call
def dot_of_axes_that_do_not_fit(keras: Keras) -> None:
    keras.layers.Dot(axes=1)([keras.Input((5,)), keras.Input((4,))])


@call
def dot_without_axes(keras: Keras) -> None:
    keras.layers.Dot()  # type: ignore[call-arg]


@call
def dot_of_three(keras: Keras) -> None:
    keras.layers.Dot(axes=1)([keras.Input((5,)), keras.Input((5,)), keras.Input((5,))])


# Wrappers, cells and states


@call
def bidirectional_with_an_unknown_mode(keras: Keras) -> None:
    keras.layers.Bidirectional(keras.layers.LSTM(2), merge_mode="nonsense")


@call
def bidirectional_of_no_layer(keras: Keras) -> None:
    keras.layers.Bidirectional("LSTM")


@call
def bidirectional_of_dense(keras: Keras) -> None:
    keras.layers.Bidirectional(keras.layers.Dense(2))


@call
def bidirectional_with_a_backward_layer_that_goes_forwards(keras: Keras) -> None:
    L = keras.layers
    L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2))


@call
def bidirectional_with_a_backward_layer_of_other_outputs(keras: Keras) -> None:
    L = keras.layers
    L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2, go_backwards=True, return_sequences=True))


@call
def bidirectional_of_too_few_axes(keras: Keras) -> None:
    keras.layers.Bidirectional(keras.layers.LSTM(2))(keras.Input((5,)))


@call
def bidirectional_with_an_odd_number_of_states(keras: Keras) -> None:
    L = keras.layers
    L.Bidirectional(L.GRU(2))(keras.Input((5, 3)), initial_state=[keras.Input((2,))])


@call
def time_distributed_of_no_layer(keras: Keras) -> None:
    keras.layers.TimeDistributed(lambda x: x)


@call
def time_distributed_of_too_few_axes(keras: Keras) -> None:
    keras.layers.TimeDistributed(keras.layers.Dense(2))(keras.Input((5,)))


@call
def rnn_of_a_cell_without_state_size(keras: Keras) -> None:
    class Cell(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any, states: Any) -> Any:
            return inputs, states

    keras.layers.RNN(Cell())


@call
def rnn_of_no_cell(keras: Keras) -> None:
    keras.layers.RNN("LSTMCell")


@call
def stacked_cells_of_no_cells(keras: Keras) -> None:
    keras.layers.StackedRNNCells([keras.layers.LSTMCell(2), "GRUCell"])


@call
def states_of_the_wrong_number(keras: Keras) -> None:
    keras.layers.LSTM(2)(keras.Input((5, 3)), initial_state=[keras.Input((2,))])


@call
def states_of_the_wrong_shape(keras: Keras) -> None:
    keras.layers.GRU(2)(keras.Input((5, 3)), initial_state=keras.Input((4,)))


@call
def stateful_without_a_batch_size(keras: Keras) -> None:
    keras.layers.LSTM(2, stateful=True)(keras.Input((5, 3)))


@call
def weights_of_the_wrong_number_set(keras: Keras) -> None:
    model = two_outputs(keras)
    model.set_weights(model.get_weights()[:3])


@call
def weights_of_the_wrong_shape_set(keras: Keras) -> None:
    model = two_outputs(keras)
    model.set_weights(model.get_weights()[::-1])
