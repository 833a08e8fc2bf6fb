"""Scripts as tutorials have them, from `import` on: what they compute with K, on networks with seeded weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def seeded(model: Any, seed: int = 0) -> Any:
    """Give a model weights that are the same wherever it is built."""
    source = np.random.RandomState(seed)
    model.set_weights([source.normal(0, 0.4, w.shape).astype("float32") for w in model.get_weights()])
    return model


def draw(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).uniform(0, 1, shape).astype("float32")


def convnet(keras: Any) -> Any:
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Conv2D(4, (3, 3), activation="relu", padding="same", name="block1", input_shape=(8, 8, 3)),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(5, (3, 3), activation="relu", name="block2"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax", name="predictions"),
        ]
    )
    return seeded(model)


def saliency(keras: Any, K: Any) -> list[Any]:
    model = convnet(keras)
    loss = model.output[:, 1]
    grads = K.gradients(loss, model.input)[0]
    fn = K.function([model.input, K.learning_phase()], [grads])
    (by_input,) = fn([draw(2, 8, 8, 3), 0])
    shown = K.function([model.input], [K.max(K.abs(grads), axis=-1)])([draw(2, 8, 8, 3)])[0]
    return [by_input, shown, (by_input - by_input.min()) / (by_input.max() - by_input.min())]


def activations(keras: Any, K: Any) -> list[Any]:
    model = convnet(keras)
    outputs = [layer.output for layer in model.layers]
    functors = [K.function([model.input, K.learning_phase()], [out]) for out in outputs]
    several = K.function([model.layers[0].input], [model.layers[2].output, model.layers[-1].output])
    return [f([draw(2, 8, 8, 3), 0.0])[0] for f in functors] + list(several([draw(1, 8, 8, 3, seed=2)]))


def filter_visualisation(keras: Any, K: Any) -> list[Any]:
    model = convnet(keras)
    input_img = model.input
    layer_dict = {layer.name: layer for layer in model.layers}
    results = []
    for filter_index in range(2):
        layer_output = layer_dict["block2"].output
        if K.image_data_format() == "channels_first":
            loss = K.mean(layer_output[:, filter_index, :, :])
        else:
            loss = K.mean(layer_output[:, :, :, filter_index])
        grads = K.gradients(loss, input_img)[0]
        grads /= K.sqrt(K.mean(K.square(grads))) + K.epsilon()
        iterate = K.function([input_img], [loss, grads])
        input_img_data = draw(1, 8, 8, 3) * 0.2 + 0.4
        for _ in range(8):
            loss_value, grads_value = iterate([input_img_data])
            input_img_data += grads_value * 0.1
        results += [loss_value, input_img_data]
    return results


def grad_cam(keras: Any, K: Any) -> list[Any]:
    model = convnet(keras)
    x = draw(1, 8, 8, 3)
    best = int(np.argmax(model.predict(x)[0]))
    class_output = model.output[:, best]
    last_conv_layer = model.get_layer("block2")
    grads = K.gradients(class_output, last_conv_layer.output)[0]
    pooled_grads = K.mean(grads, axis=(0, 1, 2))
    iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])
    pooled_grads_value, conv_layer_output_value = iterate([x])
    for i in range(5):
        conv_layer_output_value[:, :, i] *= pooled_grads_value[i]
    heatmap = np.mean(conv_layer_output_value, axis=-1)
    return [pooled_grads_value, np.maximum(heatmap, 0)]


def style_transfer(keras: Any, K: Any) -> list[Any]:
    rows, columns = 8, 6
    base_image, style_image = K.variable(draw(1, rows, columns, 3)), K.variable(draw(1, rows, columns, 3, seed=2))
    combination_image = K.placeholder((1, rows, columns, 3))
    input_tensor = K.concatenate([base_image, style_image, combination_image], axis=0)
    inputs = keras.layers.Input(tensor=input_tensor)
    h = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(inputs)
    h = keras.layers.AveragePooling2D(2)(h)
    h = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="conv2")(h)
    model = seeded(keras.models.Model(inputs, h))
    outputs_dict = {layer.name: layer.output for layer in model.layers}

    def gram_matrix(x: Any) -> Any:
        assert K.ndim(x) == 3
        features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
        return K.dot(features, K.transpose(features))

    def style_loss(style: Any, combination: Any) -> Any:
        S, C = gram_matrix(style), gram_matrix(combination)
        channels, size = 3, rows * columns
        return K.sum(K.square(S - C)) / (4.0 * (channels**2) * (size**2))

    def content_loss(base: Any, combination: Any) -> Any:
        return K.sum(K.square(combination - base))

    def total_variation_loss(x: Any) -> Any:
        a = K.square(x[:, : rows - 1, : columns - 1, :] - x[:, 1:, : columns - 1, :])
        b = K.square(x[:, : rows - 1, : columns - 1, :] - x[:, : rows - 1, 1:, :])
        return K.sum(K.pow(a + b, 1.25))

    loss = K.variable(0.0)
    layer_features = outputs_dict["conv2"]
    loss = loss + 0.025 * content_loss(layer_features[0, :, :, :], layer_features[2, :, :, :])
    for layer_name in ["conv1", "conv2"]:
        layer_features = outputs_dict[layer_name]
        sl = style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
        loss = loss + (1.0 / 2) * sl
    loss = loss + 0.1 * total_variation_loss(combination_image)
    grads = K.gradients(loss, combination_image)
    outputs = [loss]
    outputs += grads if isinstance(grads, (list, tuple)) else [grads]
    f_outputs = K.function([combination_image], outputs)
    x = draw(1, rows, columns, 3, seed=3)
    for _ in range(3):
        loss_value, grad_values = f_outputs([x])
        x = x - 0.05 * grad_values
    return [loss_value, x]


def deep_dream(keras: Any, K: Any) -> list[Any]:
    K.set_learning_phase(0)
    model = convnet(keras)
    dream = model.input
    layer_dict = {layer.name: layer for layer in model.layers}
    loss = K.variable(0.0)
    for layer_name, coeff in (("block1", 0.2), ("block2", 0.5)):
        x = layer_dict[layer_name].output
        scaling = K.prod(K.cast(K.shape(x), "float32"))
        if K.image_data_format() == "channels_first":
            loss = loss + coeff * K.sum(K.square(x[:, :, 1:-1, 1:-1])) / scaling
        else:
            loss = loss + coeff * K.sum(K.square(x[:, 1:-1, 1:-1, :])) / scaling
    grads = K.gradients(loss, dream)[0]
    grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
    fetch_loss_and_grads = K.function([dream], [loss, grads])
    x = draw(1, 8, 8, 3)
    for _ in range(4):
        loss_value, grad_values = fetch_loss_and_grads([x])
        x += 0.01 * grad_values
    return [loss_value, x]


def vae(keras: Any, K: Any) -> list[Any]:
    layers, results = keras.layers, []
    for by_add_loss in (True, False):
        x = layers.Input(shape=(6,))
        h = layers.Dense(5, activation="relu")(x)
        z_mean, z_log_var = layers.Dense(2)(h), layers.Dense(2)(h)

        def sampling(args: Any) -> Any:
            z_mean, z_log_var = args
            batch, dim = K.shape(z_mean)[0], K.int_shape(z_mean)[1]
            epsilon = K.random_normal(shape=(batch, dim), mean=0.0, stddev=0.0)
            return z_mean + K.exp(0.5 * z_log_var) * epsilon

        z = layers.Lambda(sampling, output_shape=(2,), name="z")([z_mean, z_log_var])
        decoded = layers.Dense(6, activation="sigmoid")(layers.Dense(5, activation="relu")(z))
        model = seeded(keras.models.Model(x, decoded))

        def vae_loss(x: Any, decoded: Any, z_mean: Any = z_mean, z_log_var: Any = z_log_var) -> Any:
            xent_loss = 6 * keras.losses.binary_crossentropy(x, decoded)
            kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
            return K.mean(xent_loss + kl_loss)

        if by_add_loss:
            model.add_loss(vae_loss(x, decoded))
            model.compile(optimizer=keras.optimizers.SGD(0.05))
            history = model.fit(draw(24, 6), epochs=3, batch_size=8, shuffle=False, verbose=0)
        else:
            model.compile(optimizer=keras.optimizers.SGD(0.05), loss=vae_loss)
            history = model.fit(draw(24, 6), draw(24, 6), epochs=3, batch_size=8, shuffle=False, verbose=0)
        results += [history.history["loss"], model.get_weights()[0]]
    return results


def metrics_with_K(keras: Any, K: Any) -> list[Any]:
    def recall(y_true: Any, y_pred: Any) -> Any:
        true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
        possible_positives = K.sum(K.round(K.clip(y_true, 0, 1)))
        return true_positives / (possible_positives + K.epsilon())

    def precision(y_true: Any, y_pred: Any) -> Any:
        true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
        predicted_positives = K.sum(K.round(K.clip(y_pred, 0, 1)))
        return true_positives / (predicted_positives + K.epsilon())

    def f1(y_true: Any, y_pred: Any) -> Any:
        p, r = precision(y_true, y_pred), recall(y_true, y_pred)
        return 2 * ((p * r) / (p + r + K.epsilon()))

    def dice_coef(y_true: Any, y_pred: Any, smooth: float = 1.0) -> Any:
        y_true_f, y_pred_f = K.flatten(y_true), K.flatten(y_pred)
        intersection = K.sum(y_true_f * y_pred_f)
        return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)

    def r_square(y_true: Any, y_pred: Any) -> Any:
        ss_res = K.sum(K.square(y_true - y_pred))
        return 1 - ss_res / (K.sum(K.square(y_true - K.mean(y_true))) + K.epsilon())

    def same_side(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.cast(K.equal(K.cast(y_true > 0.5, "int32"), K.cast(y_pred > 0.5, "int32")), K.floatx()))

    def focal(y_true: Any, y_pred: Any) -> Any:
        pt_1 = K.switch(K.equal(y_true, 1), y_pred, K.ones_like(y_pred))
        pt_0 = K.switch(K.equal(y_true, 0), y_pred, K.zeros_like(y_pred))
        pt_1, pt_0 = K.clip(pt_1, 1e-3, 0.999), K.clip(pt_0, 1e-3, 0.999)
        return -K.sum(0.25 * K.pow(1.0 - pt_1, 2.0) * K.log(pt_1)) - K.sum(0.75 * K.pow(pt_0, 2.0) * K.log(1.0 - pt_0))

    model = seeded(keras.models.Sequential([keras.layers.Dense(3, activation="sigmoid", input_shape=(4,))]))
    used = [recall, precision, f1, dice_coef, r_square, same_side]
    model.compile(loss=focal, optimizer=keras.optimizers.SGD(0.1), metrics=used)
    y = (draw(12, 3, seed=5) > 0.5).astype("float32")
    history = model.fit(draw(12, 4), y, epochs=2, batch_size=12, shuffle=False, verbose=0).history
    return [history["loss"], *(history[m.__name__] for m in used)]


def triplet_loss(keras: Any, K: Any) -> list[Any]:
    layers = keras.layers
    embed = keras.models.Sequential(
        [layers.Dense(4, input_shape=(5,)), layers.Lambda(lambda x: K.l2_normalize(x, axis=1))]
    )
    inputs = [layers.Input((5,)) for _ in range(3)]
    merged = layers.concatenate([embed(x) for x in inputs], axis=-1)
    model = seeded(keras.models.Model(inputs, merged))

    def loss(y_true: Any, y_pred: Any, alpha: float = 0.4) -> Any:
        total_length = y_pred.shape.as_list()[-1]
        anchor = y_pred[:, 0 : int(total_length * 1 / 3)]
        positive = y_pred[:, int(total_length * 1 / 3) : int(total_length * 2 / 3)]
        negative = y_pred[:, int(total_length * 2 / 3) : int(total_length * 3 / 3)]
        pos_dist = K.sum(K.square(anchor - positive), axis=1)
        neg_dist = K.sum(K.square(anchor - negative), axis=1)
        return K.maximum(pos_dist - neg_dist + alpha, 0.0)

    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.1))
    x = [draw(10, 5, seed=s) for s in (3, 4, 5)]
    history = model.fit(x, np.zeros((10, 1)), epochs=3, batch_size=5, shuffle=False, verbose=0)
    return [history.history["loss"], model.predict(x)]


def siamese(keras: Any, K: Any) -> list[Any]:
    layers = keras.layers

    def euclidean_distance(vects: Any) -> Any:
        x, y = vects
        sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
        return K.sqrt(K.maximum(sum_square, K.epsilon()))

    def eucl_dist_output_shape(shapes: Any) -> Any:
        return (shapes[0][0], 1)

    def contrastive_loss(y_true: Any, y_pred: Any) -> Any:
        margin_square = K.square(K.maximum(1 - y_pred, 0))
        return K.mean(y_true * K.square(y_pred) + (1 - y_true) * margin_square)

    def accuracy(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))

    base = keras.models.Sequential([layers.Dense(4, activation="relu", input_shape=(5,)), layers.Dense(3)])
    a, b = layers.Input(shape=(5,)), layers.Input(shape=(5,))
    distance = layers.Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([base(a), base(b)])
    model = seeded(keras.models.Model([a, b], distance))
    model.compile(loss=contrastive_loss, optimizer=keras.optimizers.SGD(0.1), metrics=[accuracy])
    y = (draw(10, 1, seed=9) > 0.5).astype("float32")
    x = [draw(10, 5, seed=3), draw(10, 5, seed=4)]
    history = model.fit(x, y, epochs=3, batch_size=10, shuffle=False, verbose=0).history
    return [history["loss"], history["accuracy"], model.predict(x)]


def ctc(keras: Any, K: Any) -> list[Any]:
    layers = keras.layers

    def ctc_lambda_func(args: Any) -> Any:
        y_pred, labels, input_length, label_length = args
        y_pred = y_pred[:, 2:, :]
        return K.ctc_batch_cost(labels, y_pred, input_length, label_length)

    input_data = layers.Input(name="the_input", shape=(9, 4), dtype="float32")
    y_pred = layers.TimeDistributed(layers.Dense(5, activation="softmax", name="dense"), name="softmax")(input_data)
    labels = layers.Input(name="the_labels", shape=[3], dtype="float32")
    input_length = layers.Input(name="input_length", shape=[1], dtype="int64")
    label_length = layers.Input(name="label_length", shape=[1], dtype="int64")
    loss_out = layers.Lambda(ctc_lambda_func, output_shape=(1,), name="ctc")(
        [y_pred, labels, input_length, label_length]
    )
    model = seeded(keras.models.Model(inputs=[input_data, labels, input_length, label_length], outputs=loss_out))
    model.compile(loss={"ctc": lambda y_true, y_pred: y_pred}, optimizer=keras.optimizers.SGD(0.1))
    x = [draw(4, 9, 4), np.array([[0, 1, 2], [3, 3, 0], [1, 0, 0], [2, 1, 2]]), np.full((4, 1), 7), np.full((4, 1), 2)]
    history = model.fit(x, np.zeros((4, 1)), epochs=3, batch_size=4, shuffle=False, verbose=0)
    test_func = K.function([input_data], [y_pred])
    out = test_func([draw(4, 9, 4)])[0]
    decoded = K.get_value(K.ctc_decode(K.constant(out[:, 2:]), K.constant(np.full(4, 7), dtype="int32"))[0][0])
    return [history.history["loss"], out, decoded]


def rnn_layer(keras: Any, K: Any) -> list[Any]:
    class MinimalRNN(keras.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            self.units = units
            super().__init__(**kwargs)

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="uniform")
            self.recurrent = self.add_weight(name="u", shape=(self.units, self.units), initializer="uniform")
            super().build(input_shape)

        def call(self, inputs: Any, mask: Any = None) -> Any:
            def step(x: Any, states: Any) -> Any:
                prev_output = states[0]
                output = K.tanh(K.dot(x, self.kernel) + K.dot(prev_output, self.recurrent) + states[1])
                return output, [output]

            initial = K.zeros_like(inputs[:, 0, :])
            initial = K.tile(K.expand_dims(K.sum(initial, axis=-1)), [1, self.units])
            last, outputs, states = K.rnn(step, inputs, [initial], mask=mask, constants=[K.constant(0.1)])
            return K.concatenate([last, K.mean(outputs, axis=1), states[0]], axis=-1)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 3 * self.units)

    inputs = keras.layers.Input((5, 3))
    h = keras.layers.Masking()(inputs)
    model = seeded(keras.models.Model(inputs, keras.layers.Dense(2)(MinimalRNN(4)(h))))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    x = draw(6, 5, 3)
    x[0, 3:], x[1, :2] = 0, 0
    history = model.fit(x, draw(6, 2, seed=2), epochs=3, batch_size=6, shuffle=False, verbose=0)
    return [history.history["loss"], model.predict(x)]


def attention(keras: Any, K: Any) -> list[Any]:
    class AttLayer(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.W = self.add_weight(name="W", shape=(input_shape[-1], 4), initializer="normal", trainable=True)
            self.b = self.add_weight(name="b", shape=(4,), initializer="zeros", trainable=True)
            self.u = self.add_weight(name="u", shape=(4, 1), initializer="normal", trainable=True)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            uit = K.tanh(K.bias_add(K.dot(x, self.W), self.b))
            ait = K.squeeze(K.dot(uit, self.u), -1)
            ait = K.exp(ait - K.max(ait, axis=-1, keepdims=True))
            ait /= K.cast(K.sum(ait, axis=1, keepdims=True) + K.epsilon(), K.floatx())
            scores = K.softmax(K.batch_dot(x, K.permute_dimensions(x, (0, 2, 1))) / K.sqrt(K.constant(3.0)))
            mixed = K.batch_dot(scores, x)
            return K.sum(mixed * K.expand_dims(ait), axis=1) + K.batch_dot(ait, x, axes=[1, 1])

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], input_shape[-1])

    model = keras.models.Sequential([AttLayer(input_shape=(5, 3)), keras.layers.Dense(2)])
    seeded(model).compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    history = model.fit(draw(6, 5, 3), draw(6, 2), epochs=3, batch_size=6, shuffle=False, verbose=0)
    return [history.history["loss"], model.predict(draw(6, 5, 3))]


def training_by_hand(keras: Any, K: Any) -> list[Any]:
    model = seeded(keras.models.Sequential([keras.layers.Dense(3, activation="softmax", input_shape=(4,))]))
    action_prob = model.output
    action_one_hot = K.placeholder(shape=(None, 3), name="action_one_hot")
    discount_reward = K.placeholder(shape=(None,), name="discount_reward")
    log_prob = K.log(K.sum(action_prob * action_one_hot, axis=1))
    loss = K.mean(-log_prob * discount_reward)
    adam = keras.optimizers.Adam(0.01)
    updates = adam.get_updates(params=model.trainable_weights, loss=loss)
    train_fn = K.function(inputs=[model.input, action_one_hot, discount_reward], outputs=[loss], updates=updates)
    one_hot = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
    losses = [train_fn([draw(4, 4), one_hot, draw(4)])[0] for _ in range(5)]
    return [losses, model.get_weights()[0]]


def rates_by_callback(keras: Any, K: Any) -> list[Any]:
    seen = []

    class Decay(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            lr = float(K.get_value(self.model.optimizer.lr))
            K.set_value(self.model.optimizer.lr, lr * 0.5)
            seen.append(float(K.eval(self.model.optimizer.lr)))

    weight = K.variable(1.0)

    class Anneal(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            K.set_value(weight, K.get_value(weight) * 0.25)

    def loss(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.square(y_pred - y_true), axis=-1) + weight * K.mean(K.abs(y_pred), axis=-1)

    model = seeded(keras.models.Sequential([keras.layers.Dense(2, input_shape=(4,))]))
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.4))
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, "callbacks": [Decay(), Anneal()]}
    history = model.fit(draw(8, 4), draw(8, 2), epochs=3, **options)
    return [history.history["loss"], seen, K.get_value(weight)]


def gradient_penalty(keras: Any, K: Any) -> list[Any]:
    layers = keras.layers

    def penalty(y_true: Any, y_pred: Any, averaged_samples: Any, gradient_penalty_weight: float) -> Any:
        gradients = K.gradients(y_pred, averaged_samples)[0]
        gradients_sqr = K.square(gradients)
        gradients_sqr_sum = K.sum(gradients_sqr, axis=np.arange(1, len(gradients_sqr.shape)))
        gradient_l2_norm = K.sqrt(gradients_sqr_sum)
        return K.mean(gradient_penalty_weight * K.square(1 - gradient_l2_norm))

    critic = keras.models.Sequential([layers.Dense(5, activation="tanh", input_shape=(4,)), layers.Dense(1)])
    real, fake = layers.Input((4,)), layers.Input((4,))
    averaged = layers.Lambda(lambda p: 0.3 * p[0] + 0.7 * p[1])([real, fake])
    model = seeded(keras.models.Model([real, fake], [critic(real), critic(fake), critic(averaged)]))

    def partial_gp_loss(y_true: Any, y_pred: Any) -> Any:
        return penalty(y_true, y_pred, averaged, 10)

    def wasserstein_loss(y_true: Any, y_pred: Any) -> Any:
        return K.mean(y_true * y_pred)

    model.compile(loss=[wasserstein_loss, wasserstein_loss, partial_gp_loss], optimizer=keras.optimizers.SGD(0.01))
    y = [np.ones((6, 1), "float32"), -np.ones((6, 1), "float32"), np.zeros((6, 1), "float32")]
    x = [draw(6, 4), draw(6, 4, seed=2)]
    losses = [model.train_on_batch(x, y) for _ in range(3)]
    return [losses, model.get_weights()[0], model.evaluate(x, y, verbose=0)]


TUTORIALS = {
    f.__name__: f
    for f in (
        saliency,
        activations,
        filter_visualisation,
        grad_cam,
        style_transfer,
        deep_dream,
        vae,
        metrics_with_K,
        triplet_loss,
        siamese,
        ctc,
        rnn_layer,
        attention,
        training_by_hand,
        rates_by_callback,
        gradient_penalty,
    )
}


def keras_of(package: Any, optimizers: Any) -> SimpleNamespace:
    """Return what the scripts import, with the optimizers of their time."""
    parts = "layers models losses callbacks".split()
    return SimpleNamespace(optimizers=optimizers, **{part: getattr(package, part) for part in parts})
