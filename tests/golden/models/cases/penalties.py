"""add_loss, add_metric and regularizers: in layers, shared layers, nested and subclassed models."""

from __future__ import annotations

from typing import Any

from ..case import Keras, Table, real

TABLE = Table()
NO_LOSS: dict[str, Any] = {"loss": None}


@TABLE.case(x=real(5), y=None, compile=NO_LOSS)
def loss_of_symbolic_tensors_alone(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    x = keras.Input((5,))
    again = L.Dense(5)(L.Dense(3, activation="tanh")(x))
    model = keras.Model(x, again)
    model.add_loss(K.mean(K.square(x - again)))
    return model


@TABLE.case(x=real(5), y=real(2), compile={"loss": "mse", "metrics": ["mae"]})
def loss_of_symbolic_tensors_beside_another(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    x = keras.Input((5,))
    h = L.Dense(4, activation="tanh")(x)
    model = keras.Model(x, L.Dense(2)(h))
    model.add_loss(0.1 * K.mean(K.abs(h)))
    model.add_loss(0.02 * K.sum(K.square(h)))
    return model


@TABLE.case(x=real(5), y=real(2), compile={"loss": "mse", "metrics": ["mae"]})
def metric_of_symbolic_tensors(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend
    x = keras.Input((5,))
    h = L.Dense(4, activation="tanh")(x)
    model = keras.Model(x, L.Dense(2)(h))
    model.add_metric(K.sum(h, axis=-1), name="activity", aggregation="mean")
    return model


@TABLE.case(x=[real(5), real(2)], y=None, compile=NO_LOSS)
def targets_as_an_input(keras: Keras) -> Any:
    """An endpoint layer that takes targets and predictions, and adds loss and metric."""
    K = keras.backend

    class Endpoint(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def call(self, inputs: Any) -> Any:
            predictions, targets = inputs
            self.add_loss(K.mean(K.square(predictions - targets)))
            self.add_metric(K.mean(K.abs(predictions - targets), axis=-1), name="away")
            return predictions

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[0]

    x, y = keras.Input((5,), name="x"), keras.Input((2,), name="targets")
    return keras.Model([x, y], Endpoint(name="endpoint")([keras.layers.Dense(2)(x), y]))


def _variational(keras: Keras, beside: bool) -> Any:
    L, K = keras.layers, keras.backend
    x = keras.Input((5,))
    h = L.Dense(4, activation="relu")(x)
    z_mean, z_log_var = L.Dense(2, name="z_mean")(h), L.Dense(2, name="z_log_var")(h)

    def sampling(arguments: Any) -> Any:
        mean, log_var = arguments
        return mean + K.exp(0.5 * log_var) * K.zeros_like(mean)  # no noise, so that the numbers can be compared

    z = L.Lambda(sampling, output_shape=(2,), name="z")([z_mean, z_log_var])
    encoder = keras.Model(x, [z_mean, z_log_var, z], name="encoder")
    code = keras.Input((2,))
    decoder = keras.Model(code, L.Dense(5, activation="sigmoid")(L.Dense(4, activation="relu")(code)), name="decoder")
    y = decoder(encoder(x)[2])
    vae = keras.Model(x, y, name="vae")
    divergence = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    reconstruction = 5 * K.mean(K.square(x - y), axis=-1)
    vae.add_loss(K.mean(0.1 * divergence if beside else reconstruction + divergence))
    return {"model": vae, "encoder": encoder, "decoder": decoder}


def _code(keras: Keras, parts: dict[str, Any], x: Any) -> Any:
    codes = parts["encoder"].predict(x, verbose=0)
    return [codes, parts["decoder"].predict(codes[2], verbose=0)]


@TABLE.case(x=real(5), y=None, compile=NO_LOSS, after=_code)
def variational_autoencoder(keras: Keras) -> Any:
    return _variational(keras, beside=False)


@TABLE.case(x=real(5), y=real(5), compile={"loss": "mse"}, after=_code)
def variational_autoencoder_with_a_loss(keras: Keras) -> Any:
    return _variational(keras, beside=True)


def _divergence_layer(keras: Keras) -> Any:
    K = keras.backend

    class Divergence(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Adds the divergence of a code, and passes the code on."""

        def call(self, inputs: Any) -> Any:
            mean, log_var = inputs
            self.add_loss(K.mean(-0.05 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)))
            return mean

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[0]

    return Divergence


@TABLE.case(x=real(5), y=real(5), compile={"loss": "mse", "metrics": ["mae"]})
def layer_that_adds_a_loss(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    z = _divergence_layer(keras)()([L.Dense(2)(x), L.Dense(2)(x)])
    return keras.Model(x, L.Dense(5)(z))


@TABLE.case(x=[real(5), real(5)], y=real(2))
def layer_that_adds_a_loss_called_twice(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    divergence, dense = _divergence_layer(keras)(), L.Dense(2)
    u, v = divergence([dense(a), dense(b)]), divergence([dense(b), dense(a)])
    return keras.Model([a, b], L.add([u, v]))


@TABLE.case(x=[real(5), real(5)], y=real(3), compile={"loss": "mse", "metrics": ["mae"]})
def activity_of_a_shared_layer(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((5,)), keras.Input((5,))
    shared = L.Dense(3, activity_regularizer=keras.regularizers.l2(0.05), kernel_regularizer="l2")
    return keras.Model([a, b], L.subtract([shared(a), shared(b)]))


@TABLE.case(x=real(5), y=real(2))
def activity_and_weights_of_a_nested_model(keras: Keras) -> Any:
    L, R = keras.layers, keras.regularizers
    z = keras.Input((5,))
    h = L.Dense(4, activation="tanh", activity_regularizer=R.l1(0.02), bias_regularizer=R.l2(0.1))(z)
    inner = keras.Model(z, L.ActivityRegularization(l2=0.01)(h))
    x = keras.Input((5,))
    h = L.multiply([inner(x), inner(L.Dense(5)(x))])
    return keras.Model(x, L.Dense(2, kernel_regularizer=R.l1_l2(0.01, 0.02))(h))


@TABLE.case(x=real(5), y=real(2))
def activity_of_wrapped_layers(keras: Keras) -> Any:
    L, R = keras.layers, keras.regularizers
    x = keras.Input((5,))
    sequence = L.Reshape((5, 1))(x)
    h = L.TimeDistributed(L.Dense(2, activity_regularizer=R.l2(0.05), kernel_regularizer=R.l2(0.1)))(sequence)
    h = L.Bidirectional(L.GRU(2, activity_regularizer=R.l1(0.03), recurrent_regularizer=R.l2(0.1)))(h)
    return keras.Model(x, L.Dense(2)(h))


@TABLE.case(x=real(5), y=real(2))
def loss_of_weights_alone(keras: Keras) -> Any:
    """A loss added as a function of no arguments is computed anew at each step."""
    L, K = keras.layers, keras.backend
    x = keras.Input((5,))
    first, last = L.Dense(4, activation="tanh"), L.Dense(2)
    model = keras.Model(x, last(first(x)))
    first.add_loss(lambda: 0.1 * K.sum(K.square(first.kernel)))
    model.add_loss(lambda: 0.2 * K.mean(K.abs(last.kernel)))
    return model


@TABLE.case(x=real(5), y=real(2), compile={"loss": "mse", "metrics": ["mae"]})
def subclassed_model_that_adds_loss_and_metric(keras: Keras) -> Any:
    L, K = keras.layers, keras.backend

    class Penalised(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.hidden = L.Dense(4, activation="tanh", activity_regularizer="l2")
            self.answer = L.Dense(2)

        def call(self, inputs: Any) -> Any:
            h = self.hidden(inputs)
            self.add_loss(0.1 * K.mean(K.square(h)))
            self.add_metric(K.sum(K.abs(h), axis=-1), name="activity")
            return self.answer(h)

    return Penalised()
