"""Graphs: several inputs and outputs, merging, shared layers, residual and branching nets."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, bits, ids, labels, onehot, real

TABLE = Table()
TWO_HEADS = {"loss": ["mse", "categorical_crossentropy"], "metrics": [["mae"], ["accuracy"]]}


@TABLE.case(x=[real(5), real(3)], y=real(1), compile={"loss": "mse", "metrics": ["mae"]})
def two_inputs(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((3,))
    x = L.Concatenate()([L.Dense(4, activation="tanh")(a), L.Dense(3, activation="relu")(b)])
    return keras.Model([a, b], L.Dense(1)(x))


@TABLE.case(x={"right": real(3), "left": real(5)}, y=real(2))
def list_of_inputs_fed_by_name(keras: Keras) -> Any:
    L = keras.layers
    left, right = keras.Input((5,), name="left"), keras.Input((3,), name="right")
    x = L.concatenate([left, right])
    return keras.Model(inputs=[left, right], outputs=L.Dense(2)(x))


@TABLE.case(x={"left": real(5), "right": real(3)}, y=real(2))
def dictionary_of_inputs(keras: Keras) -> Any:
    L = keras.layers
    inputs = {"right": keras.Input((3,), name="right"), "left": keras.Input((5,), name="left")}
    x = L.Dense(4, activation="tanh")(inputs["left"])
    return keras.Model(inputs, L.Dense(2)(L.concatenate([x, inputs["right"]])))


@TABLE.case(x=real(5), y=[real(2), onehot(3)], compile=TWO_HEADS)
def two_outputs(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Dense(6, activation="tanh")(x)
    return keras.Model(x, [L.Dense(2)(h), L.Dense(3, activation="softmax")(h)])


@TABLE.case(
    x=real(5),
    y={"price": real(1), "kind": labels(3)},
    compile={
        "loss": {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        "metrics": {"kind": "accuracy", "price": ["mae", "mse"]},
        "loss_weights": {"kind": 0.5},
    },
)
def dictionary_of_outputs(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Dense(6, activation="tanh")(x)
    kind = L.Dense(3, activation="softmax", name="kind")(h)
    return keras.Model(x, {"price": L.Dense(1, name="price")(h), "kind": kind})


@TABLE.case(x=real(5), y={"price": real(1), "kind": onehot(3)}, compile={"loss": ["mse", "categorical_crossentropy"]})
def list_of_outputs_fed_by_name(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Dense(6, activation="tanh")(x)
    return keras.Model(x, [L.Dense(1, name="price")(h), L.Dense(3, activation="softmax", name="kind")(h)])


@TABLE.case(x=[real(5), real(3)], y=[real(1), bits(1)], compile={"loss": ["mse", "binary_crossentropy"]})
def two_inputs_two_outputs(keras: Keras) -> Any:
    L = keras.layers
    main, auxiliary = keras.Input((5,), name="main_input"), keras.Input((3,), name="aux_input")
    h = L.Dense(4, activation="relu")(main)
    aux_output = L.Dense(1, name="aux_output")(h)
    x = L.concatenate([h, auxiliary])
    x = L.Dense(5, activation="tanh")(x)
    return keras.Model([main, auxiliary], [aux_output, L.Dense(1, activation="sigmoid", name="main_output")(x)])


@TABLE.case(x=[real(5), real(5)], y=bits(1), compile={"loss": "binary_crossentropy", "metrics": ["accuracy"]})
def siamese(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    a, b = keras.Input((5,)), keras.Input((5,))
    tower = keras.Sequential([L.Dense(6, activation="relu", input_shape=(5,)), L.Dense(4, activation="tanh")])
    distance = L.Lambda(lambda pair: K.abs(pair[0] - pair[1]))([tower(a), tower(b)])
    return keras.Model([a, b], L.Dense(1, activation="sigmoid")(distance))


def _contrastive(keras: Keras) -> dict[str, Any]:
    K = keras.backend

    def contrastive_loss(y_true: Any, y_pred: Any) -> Any:
        apart = K.square(K.maximum(1.0 - y_pred, 0.0))
        return K.mean(y_true * K.square(y_pred) + (1 - y_true) * apart)

    def close_enough(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, "float32")))

    return {"loss": contrastive_loss, "metrics": [close_enough]}


@TABLE.case(x=[real(5), real(5)], y=bits(1), compile=_contrastive, untrained=1)
def siamese_distance(keras: Keras) -> Any:
    """The network of Keras's own example mnist_siamese."""
    L, K = keras.layers, keras.backend
    inner = keras.Input((5,))
    tower = keras.Model(inner, L.Dense(3)(L.Dense(6, activation="relu")(inner)))
    a, b = keras.Input((5,)), keras.Input((5,))

    def euclidean(vectors: Any) -> Any:
        u, v = vectors
        return K.sqrt(K.maximum(K.sum(K.square(u - v), axis=1, keepdims=True), K.epsilon()))

    return keras.Model([a, b], L.Lambda(euclidean, output_shape=(1,))([tower(a), tower(b)]))


@TABLE.case(x=real(4), y=real(4))
def layer_called_twice(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((4,))
    shared = L.Dense(4, activation="tanh")
    return keras.Model(x, shared(shared(x)))


@TABLE.case(x=[real(5), real(5)], y=[real(3), real(3)], compile={"loss": "mse", "metrics": ["mae"]})
def layer_shared_by_two_outputs(keras: Keras) -> Any:
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = keras.layers.Dense(3)
    return keras.Model([a, b], [shared(a), shared(b)])


@TABLE.case(x=real(6), y=onehot(3), compile={"loss": "categorical_crossentropy", "metrics": ["accuracy"]})
def residual(keras: Keras) -> Any:
    L = keras.layers
    x = h = keras.Input((6,))
    for _ in range(3):
        h = L.add([h, L.Dense(6)(L.Activation("relu")(L.Dense(4)(h)))])
    return keras.Model(x, L.Dense(3, activation="softmax")(h))


@TABLE.case(
    x=real(8, 8, 2),
    y=labels(3),
    compile={"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
    train_forward=True,
    untrained=2,  # biases before BatchNormalization
    rate=0.01,
)
def residual_of_images(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((8, 8, 2))
    h = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    for strides in (1, 2):
        shortcut = h if strides == 1 else L.Conv2D(4, 1, strides=2)(h)
        h = L.Conv2D(4, 3, strides=strides, padding="same")(h)
        h = L.BatchNormalization()(h)
        h = L.Activation("relu")(L.Add()([h, shortcut]))
    return keras.Model(x, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(h)))


@TABLE.case(x=real(6, 6, 3), y=onehot(3), compile={"loss": "categorical_crossentropy"})
def inception(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 6, 3))
    one = L.Conv2D(3, 1, padding="same", activation="relu")(x)
    three = L.Conv2D(3, 3, padding="same", activation="relu")(L.Conv2D(2, 1, activation="relu")(x))
    pool = L.Conv2D(2, 1, activation="relu")(L.MaxPooling2D(3, strides=1, padding="same")(x))
    h = L.concatenate([one, three, pool], axis=3)
    return keras.Model(x, L.Dense(3, activation="softmax")(L.Flatten()(L.AveragePooling2D(2)(h))))


@TABLE.case(x=real(8, 8, 1), y=real(8, 8, 1), compile={"loss": "mae"})
def u_net(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((8, 8, 1))
    fine = L.Conv2D(3, 3, padding="same", activation="relu")(x)
    coarse = L.Conv2D(4, 3, padding="same", activation="tanh")(L.MaxPooling2D(2)(fine))
    up = L.Conv2D(3, 2, padding="same", activation="relu")(L.UpSampling2D(2)(coarse))
    h = L.Concatenate()([fine, up])
    return keras.Model(x, L.Conv2D(1, 1)(h))


@TABLE.case(x=[real(4), real(4)], y=real(1))
def every_merge(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    pair = [L.Dense(4, activation="tanh")(a), L.Dense(4)(b)]
    merged = [
        L.Add()([*pair, a]),
        L.Subtract()(pair),
        L.Multiply()([*pair, b]),
        L.Average()([*pair, a]),
        L.Maximum()([*pair, b]),
        L.Minimum()(pair),
        L.Dot(axes=1)(pair),
    ]
    return keras.Model([a, b], L.Dense(1)(L.Concatenate(axis=1)(merged)))


@TABLE.case(x=[real(4), real(4)], y=real(1))
def every_merging_function(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    pair = [L.Dense(4, activation="tanh")(a), L.Dense(4)(b)]
    merged = [f(pair) for f in (L.add, L.subtract, L.multiply, L.average, L.maximum, L.minimum)]
    merged.append(L.dot(pair, axes=-1, normalize=True))
    return keras.Model([a, b], L.Dense(1)(L.concatenate(merged, axis=-1)))


@TABLE.case(x=[real(5, 3), real(2, 3)], y=real(2), untrained=1)
def attention_by_dot(keras: Keras) -> Any:
    L = keras.layers
    keys, queries = keras.Input((5, 3)), keras.Input((2, 3))
    scores = L.Dot(axes=(2, 2))([L.Dense(3)(queries), L.Dense(3)(keys)])  # (samples, queries, keys)
    read = L.Dot(axes=(2, 1))([L.Activation("softmax")(scores), keys])  # (samples, queries, features)
    return keras.Model([keys, queries], L.Dense(2)(L.Flatten()(read)))


@TABLE.case(x=[real(3), real(4, 3)], y=real(4))
def broadcast_merges(keras: Keras) -> Any:
    """Merging layers take inputs of different ranks and of axes of size one."""
    L = keras.layers
    a, b = keras.Input((3,)), keras.Input((4, 3))
    one = L.Reshape((1, 3))(L.Dense(3)(a))
    h = L.Add()([L.Multiply()([one, b]), b])
    return keras.Model([a, b], L.Dense(4)(L.Flatten()(L.Maximum()([h, one]))))


@TABLE.case(x=[ids(7), ids(9)], y=real(1), compile={"loss": "mse", "metrics": ["mae"]})
def matrix_factorisation(keras: Keras) -> Any:
    L = keras.layers
    user, item = keras.Input((1,), dtype="int32", name="user"), keras.Input((1,), dtype="int32", name="item")
    u = L.Flatten()(L.Embedding(7, 4, name="user_factors")(user))
    v = L.Flatten()(L.Embedding(9, 4, name="item_factors")(item))
    bias = L.Flatten()(L.Embedding(7, 1, name="user_bias")(user))
    return keras.Model([user, item], L.Add()([L.Dot(axes=1)([u, v]), bias]))


@TABLE.case(x=[real(6), ids(4)], y=bits(1), compile={"loss": "binary_crossentropy", "metrics": ["AUC"]})
def wide_and_deep(keras: Keras) -> Any:
    L = keras.layers
    wide, category = keras.Input((6,)), keras.Input((1,))
    deep = L.Flatten()(L.Embedding(4, 3)(category))
    deep = L.Dense(5, activation="relu")(L.concatenate([wide, deep]))
    return keras.Model([wide, category], L.Dense(1, activation="sigmoid")(L.concatenate([wide, deep])))


@TABLE.case(x=real(5), y=[real(4), real(2)], compile={"loss": "mse", "loss_weights": [0.3, 1.0]})
def hidden_tensor_as_output(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    code = L.Dense(4, activation="tanh", name="code")(x)
    return keras.Model(x, [code, L.Dense(2, name="answer")(code)])


@TABLE.case(x=real(5), y=real(5))
def autoencoder_with_its_halves(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    code = L.Dense(3, activation="tanh")(x)
    autoencoder = keras.Model(x, L.Dense(5)(code))
    return {"model": autoencoder, "encoder": keras.Model(x, code)}


def _read_features(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    model = parts["model"]
    deep = keras.Model(model.input, model.get_layer("second").output)
    every = keras.Model(model.inputs, [layer.output for layer in model.layers[1:]])
    function = keras.backend.function([model.input], [model.layers[1].output])
    return [deep.predict(x, verbose=0), every.predict(x, verbose=0), function([x])]


@TABLE.case(x=real(5), y=real(1), after=_read_features)
def feature_extractors_of_a_trained_model(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Dense(4, activation="tanh", name="first")(x)
    return keras.Model(x, L.Dense(1)(L.Dense(3, activation="relu", name="second")(h)))


def _clone(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    model = parts["model"]
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    return [copy.predict(x, verbose=0), again.predict(x, verbose=0)]


@TABLE.case(x=[real(5), real(5)], y=real(1), after=_clone)
def cloned_after_training(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = L.Dense(4, activation="tanh")
    inner = keras.Sequential([L.Dense(3, activation="relu", input_shape=(8,))])
    return keras.Model([a, b], L.Dense(1)(inner(L.concatenate([shared(a), shared(b)]))))
