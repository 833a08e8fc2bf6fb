"""Names that come by themselves, the order of layers, nodes of a graph and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Keras

FACTS: dict[str, Callable[[Keras], Any]] = {}


def fact(function: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter a fact under its name."""
    FACTS[function.__name__] = function
    return function


def _shape(shape: Any) -> Any:
    return [_shape(one) if isinstance(one, (list, tuple)) else one for one in shape]


@fact
def automatic_names(keras: Keras) -> Any:
    L = keras.layers

    class MyOwnNet(keras.Model):  # type: ignore[misc, name-defined]
        pass

    class HTTPLayer2D(L.Layer):  # type: ignore[misc, name-defined]
        pass

    x, y = keras.Input((5,)), keras.Input((5,))
    layers = [L.Dense(2), L.Dense(2), L.Concatenate(), L.Add(), L.Add(), L.Lambda(lambda h: h), L.Dot(axes=1)]
    layers += [L.TimeDistributed(L.Dense(2)), L.Bidirectional(L.LSTM(2)), L.RNN(L.LSTMCell(2)), HTTPLayer2D()]
    models = [keras.Model(x, x), keras.Model(y, y), keras.Sequential(), keras.Sequential(), MyOwnNet(), MyOwnNet()]
    return {"layers": [layer.name for layer in layers], "models": [m.name for m in models], "inputs": [x.name, y.name]}


@fact
def names_of_functions_that_merge(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    functions = (L.add, L.concatenate, L.add, L.maximum, L.subtract, L.multiply, L.average, L.minimum)
    return [keras.Model([a, b], function([a, b])).layers[-1].name for function in functions]


@fact
def names_of_weights(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((4, 3))
    h = L.Bidirectional(L.LSTM(2, return_sequences=True))(x)
    h = L.TimeDistributed(L.Dense(3))(h)
    h = L.RNN([L.GRUCell(3), L.LSTMCell(2)], name="stack")(h)
    inner = keras.Sequential([L.Dense(2, name="d", input_shape=(2,)), L.BatchNormalization()], name="inner")
    model = keras.Model(x, L.Dense(1, name="answer")(inner(h)))
    return [weight.name for weight in model.weights]


@fact
def order_of_layers(keras: Keras) -> Any:
    """Layers stand by their depth, inputs where they are needed first."""
    L = keras.layers
    a, b, c = (keras.Input((4,), name=name) for name in "abc")
    late = L.Dense(4, name="late")(c)
    early = L.Dense(4, name="early_2")(L.Dense(4, name="early_1")(a))
    joined = L.add([early, b], name="joined")
    first_head, second_head = L.Dense(1, name="first_head")(late), L.Dense(1, name="second_head")(joined)
    model = keras.Model([c, a, b], [L.add([joined, late], name="all"), first_head, second_head])
    return {"layers": [layer.name for layer in model.layers], "weights": [list(w.shape) for w in model.get_weights()]}


@fact
def order_of_layers_called_twice(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((4,), name="x")
    shared, other = L.Dense(4, name="shared"), L.Dense(4, name="other")
    model = keras.Model(x, shared(other(shared(x))))
    return [layer.name for layer in model.layers]


@fact
def only_what_leads_to_the_outputs_belongs(keras: Keras) -> Any:
    L = keras.layers
    x, unused = keras.Input((4,), name="x"), keras.Input((4,), name="unused")
    h = L.Dense(3, name="used")(x)
    L.Dense(2, name="aside")(h)
    model = keras.Model([x, unused], h)
    return [layer.name for layer in model.layers]


@fact
def nodes(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = L.Dense(3)
    u, v = shared(a), shared(b)
    joined = L.Concatenate()
    joined([u, v])
    return {
        "inbound": [len(layer.inbound_nodes) for layer in (shared, joined)],
        "outbound": [len(layer.outbound_nodes) for layer in (shared, joined)],
        "input_at": [shared.get_input_at(0) is a, shared.get_input_at(1) is b],
        "output_at": [shared.get_output_at(0) is u, shared.get_output_at(1) is v],
        "shapes_at": [_shape(shared.get_input_shape_at(1)), _shape(shared.get_output_shape_at(1))],
        "inputs": [one is other for one, other in zip(joined.input, [u, v])],
        "input_shape": _shape(joined.input_shape),
        "output_shape": [_shape(joined.output_shape), _shape(shared.output_shape)],
        "history": [tensor._keras_history[0] is shared for tensor in (u, v)],
        "node_index": [tensor._keras_history[1] for tensor in (u, v)],
    }


@fact
def what_a_model_says_of_itself(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    model = keras.Model(inputs=[a, b], outputs=[L.Dense(2, name="one")(a), L.Dense(1, name="two")(b)], name="both")
    single = keras.Model(a, L.Dense(2, name="three")(a))
    return {
        "name": model.name,
        "names": [list(model.input_names), list(model.output_names)],
        "shapes": [_shape(model.input_shape), _shape(model.output_shape)],
        "single": [_shape(single.input_shape), _shape(single.output_shape)],
        "lists": [len(model.inputs), len(model.outputs), len(single.inputs), len(single.outputs)],
        "inputs_are_those": [model.inputs[0] is a, model.input[1] is b, single.input is a],
        "computed": [_shape(shape) for shape in model.compute_output_shape([(7, 5), (7, 3)])],
        "get_layer": [model.get_layer("two").name, model.get_layer(index=2).name],
        "built": model.built,
        "classes": [type(layer).__name__ for layer in model.layers],
        "count": model.count_params(),
    }


@fact
def models_from_hidden_tensors(keras: Keras) -> Any:
    """The tail of a model, from a tensor inside it."""
    L = keras.layers
    x = keras.Input((5,), name="x")
    hidden = L.Dense(4, name="hidden")(x)
    tail = keras.Model(hidden, L.Dense(2, name="tail")(hidden))
    return {"shapes": [_shape(tail.input_shape), _shape(tail.output_shape)], "weights": len(tail.weights)}


@fact
def freezing(keras: Keras) -> Any:
    L = keras.layers
    inner = keras.Sequential([L.Dense(3, input_shape=(5,), name="one"), L.BatchNormalization(name="two")])
    x = keras.Input((5,))
    model = keras.Model(x, L.Dense(2, name="three")(inner(x)))

    def counts() -> list[int]:
        return [len(model.trainable_weights), len(model.non_trainable_weights), len(model.weights)]

    seen = [counts()]
    inner.trainable = False
    seen.append(counts())
    flags = [layer.trainable for layer in inner.layers]
    inner.layers[0].trainable = True
    seen.append(counts())
    model.trainable = True
    seen.append(counts())
    model.trainable = False
    seen.append(counts())
    return {"counts": seen, "flags": flags}


@fact
def sequential_as_a_graph(keras: Keras) -> Any:
    L = keras.layers
    model = keras.Sequential([L.Dense(3, input_shape=(5,), name="one"), L.Dense(2, name="two")])
    extractor = keras.Model(model.input, model.layers[0].output)
    model.add(L.Dense(1, name="three"))
    longer = keras.Model(model.inputs, model.get_layer("three").output)
    return {
        "shapes": [_shape(extractor.output_shape), _shape(longer.output_shape), _shape(model.output_shape)],
        "layers": [len(extractor.layers), len(longer.layers), len(model.layers)],
        "names": [list(model.output_names), len(model.input_names)],
    }


@fact
def clones(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    shared = L.Dense(3, name="shared")
    model = keras.Model([a, b], L.add([shared(a), shared(b)], name="sum"), name="whole")
    copy = keras.models.clone_model(model)
    onto = keras.models.clone_model(model, input_tensors=[keras.Input((5,), name="c"), keras.Input((5,), name="d")])

    def without_bias(layer: Any) -> Any:
        config = layer.get_config() | ({"use_bias": False} if layer.name == "shared" else {})
        return layer.__class__.from_config(config)

    changed = keras.models.clone_model(model, clone_function=without_bias)
    return {
        "names": [copy.name, [layer.name for layer in copy.layers]],
        "inbound": [len(copy.get_layer("shared").inbound_nodes), len(model.get_layer("shared").inbound_nodes)],
        "own_weights": copy.get_layer("shared") is not shared,
        "onto": [list(onto.input_names), len(onto.weights)],
        "changed": [sorted(layer.name for layer in changed.layers), len(changed.weights)],
    }


@fact
def names_of_weights_by_the_way_of_building(keras: Keras) -> Any:
    class Pair(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.first, self.second = keras.layers.Dense(3, name="first"), keras.layers.Dense(2, name="second")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    class Subclass(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="whole")
            self.pair = Pair(name="pair")
            self.last = keras.Sequential([keras.layers.Dense(2, name="end")], name="last")

        def call(self, x: Any) -> Any:
            return self.last(self.pair(x))

    x, y = np.ones((4, 5), "float32"), np.ones((4, 2), "float32")
    names = {}
    for way in ("build", "call", "fit", "predict"):
        model = Subclass()
        model.compile("sgd", "mse")
        if way == "build":
            model.build((None, 5))
        elif way == "call":
            model(x)
        elif way == "fit":
            model.fit(x, y, verbose=0)
        else:
            model.predict(x, verbose=0)
        names[way] = [weight.name for weight in model.weights]
    return names
