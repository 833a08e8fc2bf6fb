"""Models as layers of models: nested, shared, frozen, with several inputs and outputs."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, onehot, real

TABLE = Table()


@TABLE.case(x=real(5), y=real(2))
def functional_in_functional(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((4,))
    inner = keras.Model(z, L.Dense(3, activation="tanh")(L.Dense(6, activation="relu")(z)), name="inner")
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(2)(inner(L.Dense(4)(x))))


@TABLE.case(x=[real(5), real(5)], y=real(1))
def nested_and_shared_twice(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((5,))
    inner = keras.Model(z, L.Dense(3, activation="tanh")(z))
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], L.Dense(1)(L.multiply([inner(a), inner(b)])))


@TABLE.case(x=real(5), y=onehot(3), compile={"loss": "categorical_crossentropy", "metrics": ["accuracy"]})
def sequential_in_functional(keras: Keras) -> Any:
    L = keras.layers
    body = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(4)], name="body")  # built where it is called
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(3, activation="softmax")(body(x)))


@TABLE.case(x=real(6, 6, 2), y=onehot(2), compile={"loss": "categorical_crossentropy"})
def functional_in_sequential(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((6, 6, 2))
    base = keras.Model(z, L.add([L.Conv2D(2, 3, padding="same", activation="relu")(z), z]))
    return keras.Sequential([base, L.Flatten(), L.Dense(2, activation="softmax")])


@TABLE.case(x=real(5), y=[real(2), real(1)])
def inner_model_of_two_outputs(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((5,))
    h = L.Dense(4, activation="relu")(z)
    inner = keras.Model(z, [L.Dense(3, activation="tanh")(h), L.Dense(2)(h)])
    x = keras.Input((5,))
    one, two = inner(x)
    return keras.Model(x, [two, L.Dense(1)(one)])


@TABLE.case(x=[real(5), real(3)], y=real(1))
def inner_model_of_two_inputs(keras: Keras) -> Any:
    L = keras.layers
    u, v = keras.Input((4,)), keras.Input((4,))
    inner = keras.Model([u, v], L.Dense(3, activation="tanh")(L.subtract([L.Dense(4)(u), v])))
    a, b = keras.Input((5,)), keras.Input((3,))
    return keras.Model([a, b], L.Dense(1)(inner([L.Dense(4)(a), L.Dense(4, activation="relu")(b)])))


@TABLE.case(x=real(5), y=real(1))
def three_levels(keras: Keras) -> Any:
    L = keras.layers
    deepest = keras.Sequential([L.Dense(4, activation="tanh", name="same"), L.Dense(4, name="other")])
    z = keras.Input((5,))
    middle = keras.Model(z, L.Dense(3, name="same")(deepest(z)))
    return keras.Sequential([middle, L.Dense(1, name="same")])


@TABLE.case(x=real(5), y=real(2))
def layers_of_one_name_in_two_models(keras: Keras) -> Any:
    L = keras.layers
    a = keras.Sequential([L.Dense(4, name="d", activation="tanh")], name="a")
    return keras.Sequential([a, keras.Sequential([L.Dense(2, name="d")], name="b")])


def _unfreeze(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    """Fine-tuning: the frozen model's weights are still those of the start; then they train too."""
    model, base = parts["model"], parts["base"]
    frozen = base.get_weights()
    base.trainable = True
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01), loss="mse")
    y = model.predict(x, verbose=0) + 1
    model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return [frozen, base.get_weights(), model.get_weights()]


@TABLE.case(x=real(5), y=real(2), after=_unfreeze, train_forward=True)
def frozen_base(keras: Keras) -> Any:
    L = keras.layers
    base = keras.Sequential([L.Dense(4, input_shape=(5,)), L.BatchNormalization(), L.Activation("relu")])
    base.trainable = False
    x = keras.Input((5,))
    return {"model": keras.Model(x, L.Dense(2)(base(x))), "base": base}


@TABLE.case(x=real(5), y=real(2), train_forward=True, untrained=1)
def frozen_layer_between(keras: Keras) -> Any:
    """The order of the weights: those that train and those that do not, layer by layer and all together."""
    L = keras.layers
    x = keras.Input((5,))
    h = L.BatchNormalization()(L.Dense(4)(x))
    h = L.Dense(4, activation="tanh", trainable=False)(h)
    inner = keras.Sequential([L.Dense(3), L.BatchNormalization(), L.Dense(3, trainable=False)])
    return keras.Model(x, L.Dense(2)(inner(h)))


def _generate(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    """One round of a GAN: the discriminator learns by itself, the generator through the frozen discriminator."""
    generator, critic, gan = parts["generator"], parts["critic"], parts["model"]
    made = generator.predict(x, verbose=0)
    critic_loss = critic.train_on_batch(made, made[:, :1] * 0)
    before = critic.get_weights()
    gan_loss = gan.train_on_batch(x, made[:, :1] * 0 + 1)
    after = critic.get_weights()
    return [critic_loss, gan_loss, before, after, generator.get_weights()]


@TABLE.case(x=real(4), y=real(1), compile={"loss": "mse"}, after=_generate)
def gan(keras: Keras) -> Any:
    L = keras.layers
    generator = keras.Sequential([L.Dense(5, activation="tanh", input_shape=(4,)), L.Dense(3)])
    critic = keras.Sequential([L.Dense(5, activation="tanh", input_shape=(3,)), L.Dense(1)])
    critic.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss="mse")
    critic.trainable = False
    noise = keras.Input((4,))
    return {"model": keras.Model(noise, critic(generator(noise))), "generator": generator, "critic": critic}


def _half(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    return [parts["encoder"].predict(x, verbose=0), parts["decoder"].predict(x[:, :3], verbose=0)]


@TABLE.case(x=real(5), y=real(5), after=_half)
def models_that_share_layers(keras: Keras) -> Any:
    """Encoder, decoder and autoencoder: training the last one trains the others."""
    L = keras.layers
    x, code = keras.Input((5,)), keras.Input((3,))
    encoder = keras.Model(x, L.Dense(3, activation="tanh")(x))
    decoder = keras.Model(code, L.Dense(5)(code))
    return {"model": keras.Model(x, decoder(encoder(x))), "encoder": encoder, "decoder": decoder}


def _tied(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    return parts["decoder"].predict(x[:, :3], verbose=0)


@TABLE.case(x=real(5), y=real(5), after=_tied)
def decoder_of_the_last_layers(keras: Keras) -> Any:
    """`autoencoder.layers[-1](code)`: a layer of a model is called again for another one."""
    L = keras.layers
    x, code = keras.Input((5,)), keras.Input((3,))
    encoded = L.Dense(3, activation="tanh")(L.Dense(4, activation="relu")(x))
    model = keras.Model(x, L.Dense(5)(L.Dense(4, activation="tanh")(encoded)))
    return {"model": model, "decoder": keras.Model(code, model.layers[-1](model.layers[-2](code)))}


@TABLE.case(x=real(5), y=real(2), untrained=2, train_forward=True)
def batch_normalization_in_a_nested_model(keras: Keras) -> Any:
    L = keras.layers
    z = keras.Input((4,))
    inner = keras.Model(z, L.Activation("tanh")(L.BatchNormalization(momentum=0.8)(L.Dense(4)(z))))
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(2)(inner(L.Dense(4)(x))))


@TABLE.case(x=[real(5), real(5)], y=real(1), train_forward=True)
def batch_normalization_shared(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = L.BatchNormalization(momentum=0.7)
    return keras.Model([a, b], L.Dense(1)(L.concatenate([shared(a), shared(b)])))


@TABLE.case(x=real(5), y=real(1), train_forward=True)
def training_told_in_the_call(keras: Keras) -> Any:
    """`training=` in the call of a layer holds in fit and in predict; one layer may be called in both ways."""
    L = keras.layers
    x = keras.Input((5,))
    shared = L.BatchNormalization(momentum=0.7)
    kept = L.Dropout(0.5)(L.Dense(4)(x), training=False)
    learned = L.BatchNormalization(momentum=0.6)(x, training=True)
    return keras.Model(x, L.Dense(1)(L.concatenate([kept, learned, shared(x, training=False), shared(x)])))


@TABLE.case(x=real(5), y=real(1), train_forward=True)
def training_told_to_a_nested_model(keras: Keras) -> Any:
    L = keras.layers
    base = keras.Sequential([L.BatchNormalization(input_shape=(5,)), L.Dense(3, activation="relu")])
    x = keras.Input((5,))
    return keras.Model(x, L.Dense(1)(base(x, training=False)))
