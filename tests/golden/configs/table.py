"""The models whose configurations are stored: a layer of each class with arguments of its own, and graphs.

One text builds a model under Keras 2.15, under 3.15 and here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Keras = Any  # the namespace that a builder is handed

MODELS: dict[str, Callable[[Keras], Any]] = {}


def model(build: Callable[[Keras], Any]) -> Callable[[Keras], Any]:
    """Enter the model that a function builds."""
    MODELS[build.__name__] = build
    return build


# Name → shape of a sample, class, arguments.  Of a class with weights one line has all its arguments off the default.
_KERNEL = {
    "kernel_initializer": {"class_name": "RandomUniform", "config": {"minval": -0.2, "maxval": 0.2, "seed": 3}},
    "bias_initializer": {"class_name": "Constant", "config": {"value": 0.1}},
    "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.02}},
    "bias_regularizer": "l2",
    "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
    "bias_constraint": "non_neg",
}
_GATES = {
    "return_sequences": True,
    "go_backwards": True,
    "recurrent_initializer": "orthogonal",
    "recurrent_regularizer": "l1",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
}
_IMAGE = (6, 6, 2)
_STEPS = (5, 3)

LAYERS: dict[str, tuple[tuple[int, ...], str, dict[str, Any]]] = {
    "dense": ((4,), "Dense", {"units": 3}),
    "dense_full": ((4,), "Dense", {"units": 3, "activation": "gelu", **_KERNEL}),
    "dense_initializers": (
        (4,),
        "Dense",
        {
            "units": 3,
            "use_bias": False,
            "kernel_initializer": {
                "class_name": "VarianceScaling",
                "config": {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": 1},
            },
        },
    ),
    "dense_he": ((4,), "Dense", {"units": 3, "kernel_initializer": "he_normal", "activation": "leaky_relu"}),
    "dense_identity": ((3,), "Dense", {"units": 3, "kernel_initializer": "identity", "activation": "hard_sigmoid"}),
    "activation": ((4,), "Activation", {"activation": "softplus"}),
    "activation_hard": ((4,), "Activation", {"activation": "hard_sigmoid"}),
    "dropout": ((4,), "Dropout", {"rate": 0.3, "noise_shape": [None, 1], "seed": 3}),
    "alpha_dropout": ((4,), "AlphaDropout", {"rate": 0.3}),
    "gaussian_dropout": ((4,), "GaussianDropout", {"rate": 0.3}),
    "gaussian_noise": ((4,), "GaussianNoise", {"stddev": 0.3}),
    "spatial_dropout1d": (_STEPS, "SpatialDropout1D", {"rate": 0.3}),
    "spatial_dropout2d": (_IMAGE, "SpatialDropout2D", {"rate": 0.3}),
    "spatial_dropout3d": ((3, 3, 3, 2), "SpatialDropout3D", {"rate": 0.3}),
    "activity_regularization": ((4,), "ActivityRegularization", {"l1": 0.1, "l2": 0.2}),
    "flatten": (_IMAGE, "Flatten", {}),
    "reshape": ((6,), "Reshape", {"target_shape": [2, -1]}),
    "permute": (_STEPS, "Permute", {"dims": [2, 1]}),
    "repeat_vector": ((4,), "RepeatVector", {"n": 3}),
    "masking": (_STEPS, "Masking", {"mask_value": 0.5}),
    "embedding": ((5,), "Embedding", {"input_dim": 7, "output_dim": 3, "embeddings_regularizer": "l2"}),
    "embedding_masked": ((5,), "Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}),
    "conv1d": ((8, 2), "Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, **_KERNEL}),
    "conv2d": (_IMAGE, "Conv2D", {"filters": 4, "kernel_size": [3, 2], "strides": 2, "padding": "same", "groups": 2}),
    "conv2d_first": ((2, 6, 6), "Conv2D", {"filters": 3, "kernel_size": 3, "data_format": "channels_first"}),
    "conv3d": ((4, 4, 4, 2), "Conv3D", {"filters": 3, "kernel_size": 2, "activation": "relu"}),
    "conv1d_transpose": ((5, 2), "Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}),
    "conv2d_transpose": (
        _IMAGE,
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh", **_KERNEL},
    ),
    "conv3d_transpose": ((3, 3, 3, 2), "Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}),
    "depthwise_conv1d": ((6, 2), "DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}),
    "depthwise_conv2d": (
        _IMAGE,
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 2, "depthwise_regularizer": "l2", "depthwise_constraint": "unit_norm"},
    ),
    "separable_conv1d": ((6, 2), "SeparableConv1D", {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}),
    "separable_conv2d": (
        _IMAGE,
        "SeparableConv2D",
        {"filters": 3, "kernel_size": 3, "pointwise_regularizer": "l1", "activation": "relu"},
    ),
    "locally_connected1d": ((6, 2), "LocallyConnected1D", {"filters": 3, "kernel_size": 3}),
    "locally_connected2d": (_IMAGE, "LocallyConnected2D", {"filters": 3, "kernel_size": 3, "activation": "tanh"}),
    "max_pooling1d": (_STEPS, "MaxPooling1D", {"pool_size": 2, "strides": 1, "padding": "same"}),
    "max_pooling2d": (_IMAGE, "MaxPooling2D", {"pool_size": [2, 3]}),
    "max_pooling3d": ((4, 4, 4, 2), "MaxPooling3D", {}),
    "average_pooling1d": (_STEPS, "AveragePooling1D", {}),
    "average_pooling2d": (_IMAGE, "AveragePooling2D", {"padding": "same", "strides": 3}),
    "average_pooling3d": ((4, 4, 4, 2), "AveragePooling3D", {}),
    "global_max_pooling1d": (_STEPS, "GlobalMaxPooling1D", {"keepdims": True}),
    "global_max_pooling2d": (_IMAGE, "GlobalMaxPooling2D", {}),
    "global_max_pooling3d": ((3, 3, 3, 2), "GlobalMaxPooling3D", {}),
    "global_average_pooling1d": (_STEPS, "GlobalAveragePooling1D", {}),
    "global_average_pooling2d": (_IMAGE, "GlobalAveragePooling2D", {"data_format": "channels_first"}),
    "global_average_pooling3d": ((3, 3, 3, 2), "GlobalAveragePooling3D", {}),
    "up_sampling1d": (_STEPS, "UpSampling1D", {"size": 3}),
    "up_sampling2d": (_IMAGE, "UpSampling2D", {"size": [2, 3], "interpolation": "bilinear"}),
    "up_sampling3d": ((2, 2, 2, 2), "UpSampling3D", {}),
    "zero_padding1d": (_STEPS, "ZeroPadding1D", {"padding": [1, 2]}),
    "zero_padding2d": (_IMAGE, "ZeroPadding2D", {"padding": [[1, 0], [2, 1]]}),
    "zero_padding3d": ((2, 2, 2, 2), "ZeroPadding3D", {}),
    "cropping1d": (_STEPS, "Cropping1D", {"cropping": [1, 2]}),
    "cropping2d": (_IMAGE, "Cropping2D", {"cropping": [[1, 0], [2, 1]]}),
    "cropping3d": ((4, 4, 4, 2), "Cropping3D", {}),
    "batch_normalization": (
        _IMAGE,
        "BatchNormalization",
        {"momentum": 0.9, "epsilon": 0.01, "beta_regularizer": "l2", "gamma_constraint": "non_neg"},
    ),
    "batch_normalization_axis": (_IMAGE, "BatchNormalization", {"axis": 1, "scale": False}),
    "layer_normalization": (_STEPS, "LayerNormalization", {"epsilon": 0.01}),
    "layer_normalization_axes": (_IMAGE, "LayerNormalization", {"axis": [1, 2], "center": False}),
    "group_normalization": ((4, 6), "GroupNormalization", {"groups": 3}),
    "unit_normalization": (_STEPS, "UnitNormalization", {}),
    "rms_normalization": (_STEPS, "RMSNormalization", {}),
    "relu": ((4,), "ReLU", {"max_value": 1.5, "negative_slope": 0.1, "threshold": 0.2}),
    "leaky_relu": ((4,), "LeakyReLU", {}),
    "elu": ((4,), "ELU", {"alpha": 0.7}),
    "prelu": (_IMAGE, "PReLU", {"shared_axes": [1, 2], "alpha_regularizer": "l2"}),
    "thresholded_relu": ((4,), "ThresholdedReLU", {"theta": 0.4}),
    "softmax": (_STEPS, "Softmax", {"axis": 1}),
    "simple_rnn": (_STEPS, "SimpleRNN", {"units": 2, **_KERNEL, **_GATES}),
    "lstm": (_STEPS, "LSTM", {"units": 2}),
    "lstm_full": (_STEPS, "LSTM", {"units": 2, "unit_forget_bias": False, **_KERNEL, **_GATES}),
    "lstm_hard": (_STEPS, "LSTM", {"units": 2, "recurrent_activation": "hard_sigmoid", "activation": "relu"}),
    "gru": (_STEPS, "GRU", {"units": 2, "return_sequences": True}),
    "gru_before": (_STEPS, "GRU", {"units": 2, "reset_after": False, **_KERNEL, **_GATES}),
    "conv_lstm1d": ((3, 5, 2), "ConvLSTM1D", {"filters": 2, "kernel_size": 2}),
    "conv_lstm2d": (
        (3, 5, 5, 2),
        "ConvLSTM2D",
        {"filters": 2, "kernel_size": 2, "return_sequences": True, "recurrent_activation": "sigmoid"},
    ),
    "conv_lstm3d": ((2, 4, 4, 4, 1), "ConvLSTM3D", {"filters": 2, "kernel_size": 2, "padding": "same"}),
    "einsum_dense": (_STEPS, "EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 4], "bias_axes": "d"}),
    "rescaling": ((4,), "Rescaling", {"scale": 0.1, "offset": 1.0}),
    "resizing": (_IMAGE, "Resizing", {"height": 4, "width": 3}),
    "center_crop": (_IMAGE, "CenterCrop", {"height": 4, "width": 3}),
    "random_flip": (_IMAGE, "RandomFlip", {"mode": "horizontal", "seed": 3}),
    "random_rotation": (_IMAGE, "RandomRotation", {"factor": 0.2}),
    "random_zoom": (_IMAGE, "RandomZoom", {"height_factor": 0.2}),
    "random_translation": (_IMAGE, "RandomTranslation", {"height_factor": 0.2, "width_factor": 0.1}),
    "random_contrast": (_IMAGE, "RandomContrast", {"factor": 0.2}),
    "random_brightness": (_IMAGE, "RandomBrightness", {"factor": 0.2}),
    "random_crop": (_IMAGE, "RandomCrop", {"height": 6, "width": 6}),
    "category_encoding": ((1,), "CategoryEncoding", {"num_tokens": 4, "output_mode": "multi_hot"}),
    "discretization": ((4,), "Discretization", {"bin_boundaries": [0.0, 1.0]}),
    "normalization": ((4,), "Normalization", {"axis": -1, "mean": 1.5, "variance": 2.0}),
    "integer_lookup": ((4,), "IntegerLookup", {"vocabulary": [1, 2, 3], "num_oov_indices": 1}),
}


def _sequential(shape: tuple[int, ...], cls: str, arguments: dict[str, Any]) -> Callable[[Keras], Any]:
    def build(keras: Keras) -> Any:
        layer = getattr(keras.layers, cls)(**arguments)
        return keras.Sequential([keras.Input(shape), layer])

    return build


for _name, _line in LAYERS.items():
    MODELS[_name] = _sequential(*_line)


# --- wrappers and cells ------------------------------------------------------------------------------------------


@model
def bidirectional(keras: Keras) -> Any:
    L = keras.layers
    return keras.Sequential([keras.Input(_STEPS), L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")])


@model
def bidirectional_of_two(keras: Keras) -> Any:
    L = keras.layers
    back = L.GRU(3, go_backwards=True)
    return keras.Sequential([keras.Input(_STEPS), L.Bidirectional(L.GRU(3), merge_mode="sum", backward_layer=back)])


@model
def bidirectional_masked(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((5,))
    h = L.Bidirectional(L.LSTM(2, return_sequences=True))(L.Embedding(7, 3, mask_zero=True)(x))
    return keras.Model(x, h)


@model
def time_distributed(keras: Keras) -> Any:
    L = keras.layers
    return keras.Sequential(
        [keras.Input((3, *_IMAGE)), L.TimeDistributed(L.Conv2D(2, 3)), L.TimeDistributed(L.Flatten())]
    )


@model
def stacked_cells(keras: Keras) -> Any:
    L = keras.layers
    cells = [L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(2)]
    return keras.Sequential([keras.Input(_STEPS), L.RNN(cells, return_sequences=True)])


@model
def rnn_of_a_cell(keras: Keras) -> Any:
    L = keras.layers
    return keras.Sequential([keras.Input(_STEPS), L.RNN(L.GRUCell(2, reset_after=False))])


@model
def spectral_normalization(keras: Keras) -> Any:
    L = keras.layers
    return keras.Sequential([keras.Input((4,)), L.SpectralNormalization(L.Dense(3), power_iterations=2)])


# --- graphs ------------------------------------------------------------------------------------------------------


@model
def merging(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    pair = [L.Dense(4)(a), b]
    merged = [
        L.Add()(pair),
        L.Subtract()(pair),
        L.Multiply()(pair),
        L.Average()(pair),
        L.Maximum()(pair),
        L.Minimum()(pair),
        L.Dot(axes=1, normalize=True)(pair),
    ]
    return keras.Model([a, b], L.Concatenate(axis=1)(merged))


@model
def attention(keras: Keras) -> Any:
    L = keras.layers
    query, value = keras.Input((3, 4)), keras.Input((5, 4))
    h = L.Attention(use_scale=True)([query, value])
    h = L.AdditiveAttention()([h, value])
    return keras.Model([query, value], h)


@model
def attention_scores(keras: Keras) -> Any:
    L = keras.layers
    query, value = keras.Input((3, 4)), keras.Input((5, 4))
    outputs = L.Attention(score_mode="concat", dropout=0.2)([query, value, value], return_attention_scores=True)
    return keras.Model([query, value], list(outputs))


@model
def multi_head_attention(keras: Keras) -> Any:
    L = keras.layers
    query, value = keras.Input((3, 4)), keras.Input((5, 6))
    h = L.MultiHeadAttention(2, 3, value_dim=2, name="mha")(query, value)
    h = L.MultiHeadAttention(num_heads=2, key_dim=2, use_bias=False, output_shape=5)(query=h, value=value, key=value)
    return keras.Model([query, value], h)


@model
def multi_head_attention_masked(keras: Keras) -> Any:
    L = keras.layers
    x, mask = keras.Input((3, 4), name="x"), keras.Input((3, 3), name="mask")
    h, scores = L.MultiHeadAttention(2, 3)(x, x, attention_mask=mask, return_attention_scores=True)
    return keras.Model({"x": x, "mask": mask}, {"h": h, "scores": scores})


@model
def shared_and_nested(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((4,), name="x")
    shared = L.Dense(4, activation="tanh", name="shared")
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3, name="deep"), L.Dense(4, name="deeper")], name="inner")
    h = shared(shared(x))
    h = L.Add()([inner(h), inner(x)])
    return keras.Model(x, [h, L.Dense(1, name="end")(h)], name="outer")


@model
def models_of_shared_layers(keras: Keras) -> Any:
    L = keras.layers
    shared = L.Dense(4, name="shared")
    a, b = keras.Input((4,)), keras.Input((4,))
    first, second = keras.Model(a, L.Dense(4)(shared(a)), name="u"), keras.Model(b, shared(b), name="v")
    x = keras.Input((4,))
    return keras.Model(x, L.Add()([first(x), second(x), shared(x)]))


@model
def inner_dictionary(keras: Keras) -> Any:
    L = keras.layers
    a = keras.Input((4,))
    inner = keras.Model(a, {"v": L.Dense(2)(a), "u": L.Dense(3)(a)}, name="inner")
    x = keras.Input((4,))
    parts = inner(x)
    return keras.Model(x, [L.Dense(2)(parts["u"]), parts["v"]])


@model
def nested_functional(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((3,))
    inner = keras.Model([a, b], [L.Dense(2)(a), L.Concatenate()([a, b])], name="inner")
    x, y = keras.Input((4,)), keras.Input((3,))
    first, second = inner([x, y])
    third, fourth = inner([L.Dense(4)(second), y])
    return keras.Model([x, y], L.Concatenate()([first, third, fourth]))


@model
def dictionaries(keras: Keras) -> Any:
    L = keras.layers
    inputs = {"right": keras.Input((3,), name="right"), "left": keras.Input((4,), name="left")}
    h = L.Concatenate()([inputs["left"], inputs["right"]])
    return keras.Model(inputs, {"u": L.Dense(2, name="u")(h), "v": L.Dense(1, name="v")(h)})


@model
def states_between_layers(keras: Keras) -> Any:
    L = keras.layers
    source, target = keras.Input((4, 3)), keras.Input((5, 2))
    _, h, c = L.LSTM(3, return_state=True)(source)
    sequence = L.LSTM(3, return_sequences=True)(target, initial_state=[h, c])
    return keras.Model([source, target], L.Dense(2)(sequence))


@model
def input_without_output(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((6, 6, 1), batch_size=4, dtype="float64")
    return keras.Model(x, L.Flatten(dtype="float64")(x))


@model
def sequential_of_models(keras: Keras) -> Any:
    L = keras.layers
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3)], name="first")
    return keras.Sequential([keras.Input((4,)), inner, L.Dense(2)], name="outer")


@model
def operators(keras: Keras) -> Any:
    L = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    h = (a + b) * 2.0 - a / 4.0
    h = 1.0 - h**2
    return keras.Model([a, b], L.Concatenate()([h[:, 1:3], -a, abs(b), h[:, ::2]]))


@model
def frozen_and_mixed(keras: Keras) -> Any:
    L = keras.layers
    frozen = L.Dense(3, trainable=False)
    return keras.Sequential([keras.Input((4,)), frozen, L.BatchNormalization(), L.Dense(2, dtype="mixed_bfloat16")])


@model
def a_net_for_images(keras: Keras) -> Any:
    L = keras.layers
    x = keras.Input((8, 8, 3))
    h = L.Conv2D(4, 3, padding="same", use_bias=False)(x)
    h = L.ReLU(6.0)(L.BatchNormalization()(h))
    h = L.Add()([h, L.Conv2D(4, 1)(x)])
    h = L.DepthwiseConv2D(3, padding="same")(L.ZeroPadding2D(1)(h))
    h = L.Dropout(0.5)(L.GlobalAveragePooling2D()(L.MaxPooling2D()(h)))
    return keras.Model(x, L.Dense(3, activation="softmax")(h))


def all_models(families: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[Keras], Any]]]:
    """Yield the models above, and the golden models but those that are subclasses of users' own.

    Args:
        families: The tables of golden models.
    """
    yield from MODELS.items()
    for family, cases in families.items():
        if family not in ("subclassed", "user_layers"):
            yield from ((f"{family}/{case.name}", case.build) for case in cases if not case.steps)
