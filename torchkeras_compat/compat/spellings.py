"""Old spellings of arguments, as data: what each one is called today.

Read off the public signatures of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1.  `quiet` ones were usual until 2.3 and go without
a warning.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._core.border import Gathered, InputFirst, Positional, Reread, Spelling, Swapped
from .._core.samples import Samples

Table = Mapping[str, Spelling]


def _renamed(quiet: bool = False, **names: str) -> dict[str, Spelling]:
    return {old: Spelling(new, quiet=quiet) for old, new in names.items()}


ORDERS: dict[str, str | None] = {"tf": "channels_last", "th": "channels_first", "default": None}
DATA_FORMAT = Spelling("data_format", values=ORDERS)


def _no_full(value: Any) -> Any:
    """Return Keras 1's padding; that of Theano alone is refused."""
    if value == "full":
        raise ValueError(
            "border_mode='full': write ZeroPadding2D((rows − 1, columns − 1)) of the kernel before it, and 'valid'."
        )
    return value


BIAS: Table = _renamed(bias="use_bias")
PENALTIES: Table = _renamed(
    W_regularizer="kernel_regularizer",
    b_regularizer="bias_regularizer",
    W_constraint="kernel_constraint",
    b_constraint="bias_constraint",
    init="kernel_initializer",
)
CONVOLUTION: Table = {
    **BIAS,
    **PENALTIES,
    **_renamed(
        nb_filter="filters",
        subsample="strides",
        atrous_rate="dilation_rate",
        filter_length="kernel_size",
        subsample_length="strides",
    ),
    "border_mode": Spelling("padding", convert=_no_full),
    "dim_ordering": DATA_FORMAT,
}
SEPARABLE: Table = {
    **CONVOLUTION,
    "init": Spelling("depthwise_initializer", also=("pointwise_initializer",)),
}
POOLING_1D: Table = _renamed(pool_length="pool_size", stride="strides", border_mode="padding")
SPATIAL: Table = {**_renamed(border_mode="padding"), "dim_ordering": DATA_FORMAT}
RECURRENT: Table = {
    **BIAS,
    **PENALTIES,
    **_renamed(
        output_dim="units",
        inner_init="recurrent_initializer",
        inner_activation="recurrent_activation",
        U_regularizer="recurrent_regularizer",
        U_constraint="recurrent_constraint",
        dropout_W="dropout",
        dropout_U="recurrent_dropout",
    ),
    "consume_less": Spelling("implementation", values={"cpu": 0, "mem": 1, "gpu": 2}),
    "forget_bias_init": Spelling("unit_forget_bias", values={"one": True, "ones": True, "zero": False, "zeros": False}),
}
CONVOLUTIONAL_RECURRENT: Table = {
    **CONVOLUTION,
    **{old: spelling for old, spelling in RECURRENT.items() if old != "output_dim"},
    "consume_less": Spelling(None, harmless=("cpu", "mem", "gpu")),
}
RATE: Table = _renamed(p="rate")
SRELU = ("t_left", "a_left", "t_right", "a_right")


def _padding(sides: tuple[tuple[str, str], ...], value: Any) -> Any:
    """Return Keras 1's dictionary of paddings as the nested tuple."""
    if not isinstance(value, dict):
        return value
    names = [name for side in sides for name in side]
    if unknown := [key for key in value if key not in names]:
        raise ValueError(f"padding={value!r}: the keys are {names}; got {unknown}.")
    pairs = tuple(tuple(value.get(name, 0) for name in side) for side in sides)
    return pairs if len(pairs) > 1 else pairs[0]


_COLUMNS = ("left_pad", "right_pad")
PADDING_1D = Spelling("padding", convert=functools.partial(_padding, (_COLUMNS,)), quiet=True, place=0)
PADDING_2D = Spelling(
    "padding", convert=functools.partial(_padding, (("top_pad", "bottom_pad"), _COLUMNS)), quiet=True, place=0
)


def _layers(names: str, table: Table) -> dict[str, Table]:
    return dict.fromkeys(names.split(), table)


LAYERS: dict[str, Table] = {
    **_layers("Dense TimeDistributedDense MaxoutDense", {**BIAS, **PENALTIES, **_renamed(output_dim="units")}),
    "Highway": {**BIAS, **PENALTIES},
    **_layers("Conv1D Conv2D Conv3D", CONVOLUTION),
    **_layers(
        "Conv1DTranspose Conv2DTranspose Conv3DTranspose", {**CONVOLUTION, **_renamed(output_shape="output_size")}
    ),
    **_layers("LocallyConnected1D LocallyConnected2D", CONVOLUTION),
    **_layers("SeparableConv1D SeparableConv2D", SEPARABLE),
    **_layers("DepthwiseConv1D DepthwiseConv2D", {**CONVOLUTION, **_renamed(init="depthwise_initializer")}),
    **_layers("MaxPooling1D AveragePooling1D", POOLING_1D),
    **_layers("MaxPooling2D AveragePooling2D MaxPooling3D AveragePooling3D UpSampling2D UpSampling3D", SPATIAL),
    "MaxPooling2D": {
        **SPATIAL,
        **_renamed(poolsize="pool_size"),
        "ignore_border": Spelling(None, quiet=True, harmless=(True,), note="write border_mode='same'."),
    },
    **_layers(
        "GlobalMaxPooling2D GlobalAveragePooling2D GlobalMaxPooling3D GlobalAveragePooling3D Flatten Cropping2D "
        "Cropping3D ZeroPadding3D",
        SPATIAL,
    ),
    **_layers("SpatialDropout2D SpatialDropout3D", {**SPATIAL, **RATE}),
    "ZeroPadding1D": {"padding": PADDING_1D},
    "ZeroPadding2D": {**SPATIAL, "padding": PADDING_2D},
    "UpSampling1D": _renamed(length="size"),
    **_layers("SimpleRNN LSTM GRU", RECURRENT),
    "ConvLSTM2D": CONVOLUTIONAL_RECURRENT,
    **_layers("Dropout GaussianDropout AlphaDropout SpatialDropout1D", RATE),
    "GaussianNoise": _renamed(sigma="stddev"),
    "Embedding": {
        **_renamed(
            init="embeddings_initializer",
            W_regularizer="embeddings_regularizer",
            W_constraint="embeddings_constraint",
        ),
        "dropout": Spelling("word_dropout"),
    },
    "BatchNormalization": {
        **_renamed(beta_init="beta_initializer", gamma_init="gamma_initializer"),
        "mode": Spelling("statistics", values={0: "moving", 1: "sample", 2: "batch"}),
    },
    "LeakyReLU": _renamed(quiet=True, negative_slope="alpha"),
    "ReLU": _renamed(quiet=True, alpha="negative_slope"),
    "PReLU": _renamed(init="alpha_initializer"),
    "SReLU": _renamed(quiet=True, **{f"{name}_init": f"{name}_initializer" for name in SRELU}),
    "Activation": {},
    "Model": _renamed(input="inputs", output="outputs"),
}

# What Keras 1 called the weights of layers, and other attributes that no argument has.
_WEIGHTS: Mapping[str, str] = {"W": "kernel", "b": "bias"}
_RECURRENT_WEIGHTS: Mapping[str, str] = {**_WEIGHTS, "U": "recurrent_kernel"}
ATTRIBUTES: dict[str, Mapping[str, str]] = {
    **dict.fromkeys(
        "Dense TimeDistributedDense MaxoutDense Highway Conv1D Conv2D Conv3D Conv2DTranspose Conv3DTranspose "
        "LocallyConnected1D LocallyConnected2D".split(),
        _WEIGHTS,
    ),
    **dict.fromkeys("SimpleRNN LSTM GRU ConvLSTM2D".split(), _RECURRENT_WEIGHTS),
    "Embedding": {"W": "embeddings"},
    "BatchNormalization": {"running_mean": "moving_mean"},
}

PENALTIES_AND_BOUNDS: dict[str, Table] = {
    "L1": _renamed(quiet=True, l="l1"),
    "L2": _renamed(quiet=True, l="l2"),
    "MaxNorm": _renamed(m="max_value"),
}

OPTIMIZERS: dict[str, Table] = {
    name: _renamed(quiet=True, lr="learning_rate")
    for name in "SGD RMSprop Adagrad Adadelta Adam Adamax Nadam Ftrl AdamW Adafactor Lion".split()
}

_SCALE_OF_POLICY = "the scale stands with the optimizer: write LossScaleOptimizer(optimizer, initial_scale=…)."
_FIXED_SCALE = "write LossScaleOptimizer(optimizer, dynamic=False, initial_scale=…) for a fixed scale."
PRECISION: dict[str, Table] = {
    "Policy": {"loss_scale": Spelling(None, harmless=("auto", "dynamic", None), note=_SCALE_OF_POLICY)},
    "LossScaleOptimizer": {
        **_renamed(optimizer="inner_optimizer"),
        "loss_scale": Spelling(None, harmless=("dynamic",), note=_FIXED_SCALE),
    },
}

CALLBACKS: dict[str, Table] = {
    "ReduceLROnPlateau": _renamed(epsilon="min_delta"),
    "ModelCheckpoint": {
        "load_weights_on_restart": Spelling(
            None, harmless=(False,), note="call model.load_weights(filepath) before fit."
        ),
    },
}


def _counted(argument: str, value: Any) -> Samples | None:
    return None if value is None else Samples(argument, value)


def _samples(**names: str) -> dict[str, Spelling]:
    """Return the spellings of lengths that were counted in samples."""
    note = "Batches are drawn until so many samples have passed; {new} counts batches."
    return {
        old: Spelling(new, convert=functools.partial(_counted, old), note=note.format(new=new))
        for old, new in names.items()
    }


_SHOWN = Spelling(None, during="_showing_accuracy", note="write compile(…, metrics=['accuracy'])")
SHOW_ACCURACY: Table = {"show_accuracy": _SHOWN}
ACCURACY: Table = {"accuracy": _SHOWN}
GENERATORS: Table = _renamed(nb_worker="workers", pickle_safe="use_multiprocessing", max_q_size="max_queue_size")
FIT: Table = {
    **_renamed(nb_epoch="epochs"),
    **_samples(samples_per_epoch="steps_per_epoch", nb_val_samples="validation_steps"),
}
STEPS: Table = _samples(val_samples="steps")

# Keras 1.0's name of the first argument, which is scikit-learn's.
ESTIMATOR: Table = _renamed(quiet=True, X="x")

CALLS: dict[str, Table] = {
    "Trainer.compile": {
        "class_mode": Spelling(None, note="It had no effect on Sequential models from 1.0 on."),
        "show_accuracy": Spelling("metrics", convert=lambda shown: ["accuracy"] if shown else []),
        "experimental_run_tf_function": Spelling(None, quiet=True),
        "experimental_steps_per_execution": Spelling("steps_per_execution"),
        "pss_evaluation_shards": Spelling(
            None, quiet=True, harmless=(0,), note="there are no parameter servers here; leave it out."
        ),
    },
    "Trainer.fit": {**FIT, **SHOW_ACCURACY},
    "Trainer.evaluate": {**STEPS, **SHOW_ACCURACY},
    "Trainer.predict": STEPS,
    "BatchCalls.train_on_batch": ACCURACY,
    "BatchCalls.test_on_batch": ACCURACY,
    **{f"KerasClassifier.{method}": ESTIMATOR for method in "fit predict predict_proba score".split()},
    **dict.fromkeys(("BaseWrapper.fit", "KerasRegressor.predict", "KerasRegressor.score"), ESTIMATOR),
    "ClassicCalls.fit_generator": {**FIT, **GENERATORS, **SHOW_ACCURACY},
    "ClassicCalls.evaluate_generator": {**STEPS, **GENERATORS, **SHOW_ACCURACY},
    "ClassicCalls.predict_generator": {**STEPS, **GENERATORS},
}

REREAD: dict[str, tuple[Reread, ...]] = {
    "ClassicCalls.fit_generator": (
        Reread(1, "samples_per_epoch", beside=("nb_epoch", "nb_val_samples")),
        Reread(6, "nb_val_samples", beside=("samples_per_epoch",)),
    ),
    "ClassicCalls.evaluate_generator": (Reread(1, "val_samples"),),
    "ClassicCalls.predict_generator": (Reread(1, "val_samples"),),
}

DATA: dict[str, Table] = {
    **{name: _renamed(recursive="expand_nested", show_shape="show_shapes") for name in ("model_to_dot", "plot_model")},
    **{name: _renamed(border_mode="padding") for name in ("conv_output_length", "conv_input_length")},
    "get_test_data": _renamed(nb_train="num_train", nb_test="num_test", nb_class="num_classes"),
    "to_categorical": _renamed(nb_classes="num_classes"),
    "image_dataset_from_directory": _renamed(smart_resize="crop_to_aspect_ratio"),
    "SequenceEnqueuer.start": {
        **_renamed(nb_worker="workers", max_q_size="max_queue_size"),
        "wait_time": Spelling(None, quiet=True),  # between two looks at a queue, at which nobody looks
    },
    "GeneratorEnqueuer": {
        **_renamed(pickle_safe="use_multiprocessing", seed="random_seed"),
        "wait_time": Spelling(None, quiet=True),
    },
    **{name: _renamed(nb_words="num_words") for name in ("imdb.load_data", "reuters.load_data", "Tokenizer")},
    **{name: {"dim_ordering": DATA_FORMAT} for name in ("ImageDataGenerator", "array_to_img", "img_to_array")},
    **{name: _renamed(quiet=True, text="input_text") for name in ("one_hot", "text_to_word_sequence")},
}


def _both_sides(value: Any) -> Any:
    """Return Keras 1's padding, one number an axis, as pairs."""
    return tuple((n, n) if isinstance(n, int) else n for n in value) if isinstance(value, (tuple, list)) else value


def order_for_kernels(value: Any) -> Any:
    """Return Keras 1's order of axes as today's, where kernels are in the same order under both."""
    if value == "th":
        raise ValueError(
            "dim_ordering='th': kernels are (rows, columns, inputs, outputs) in either order of the data; write "
            "data_format='channels_first' and K.permute_dimensions(kernel, (2, 3, 1, 0))."
        )
    return ORDERS.get(value, value)


_KERNELS = Spelling("data_format", convert=order_for_kernels)
_OF_THEANO: Table = dict.fromkeys(("image_shape", "filter_shape", "volume_shape"), Spelling(None, quiet=True))  # hints


def _images(place: int, ordering: Spelling = DATA_FORMAT, **names: str) -> Table:
    """Return the spellings of a function of images, whose `dim_ordering` may stand at a place."""
    renamed = {**_renamed(border_mode="padding"), **_renamed(quiet=True, **names)}
    return {**renamed, **_OF_THEANO, "dim_ordering": replace(ordering, place=place)}


def _paddings(place: int) -> Table:
    return {**_images(place), "padding": Spelling("padding", convert=_both_sides, quiet=True, place=1)}


# The functions of `keras.backend`, by their own names.
BACKEND: dict[str, Table] = {
    "conv1d": _renamed(stride="strides", border_mode="padding"),
    "conv2d": {**_images(4, _KERNELS), **_renamed(filter_dilation="dilation_rate")},
    "conv2d_transpose": _images(5, _KERNELS),
    "conv3d": _images(4, _KERNELS),
    "separable_conv2d": _images(5, _KERNELS),
    "pool2d": _images(4),
    "pool3d": _images(4),
    "resize_images": _images(3, X="x"),
    "resize_volumes": _images(4, X="x"),
    "spatial_2d_padding": _paddings(2),
    "spatial_3d_padding": _paddings(2),
    "bias_add": _images(2),
    "random_normal": _renamed(std="stddev"),
    "random_uniform": _renamed(low="minval", high="maxval"),
    "moving_average_update": _renamed(variable="x"),
    "expand_dims": _renamed(dim="axis"),
    "one_hot": _renamed(nb_classes="num_classes"),
    "batch_get_value": _renamed(quiet=True, xs="tensors", ops="tensors"),
    "set_epsilon": _renamed(quiet=True, e="value"),
    "set_floatx": _renamed(quiet=True, floatx="value"),
    "size": {"name": Spelling(None, quiet=True)},
    "ctc_decode": {
        "merge_repeated": Spelling(
            None, harmless=(False,), note="leave it out: repeated labels of the best paths are merged as in Keras 2.15."
        )
    },
}
_OUTPUT_FIRST = Swapped("crossentropies_take_output_first")
SWAPPED: dict[str, Swapped] = {
    f"K.{name}": _OUTPUT_FIRST
    for name in ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
}

SPELLINGS: dict[str, Table] = {
    **{f"K.{name}": table for name, table in BACKEND.items()},
    **LAYERS,
    **PENALTIES_AND_BOUNDS,
    **OPTIMIZERS,
    **PRECISION,
    **CALLBACKS,
    "BaseWrapper": _renamed(model="build_fn"),
    **CALLS,
    **DATA,
}

ROWS_AND_COLUMNS = (Gathered(("nb_row", "nb_col"), "kernel_size"),)
THREE_SIZES = (Gathered(("kernel_dim1", "kernel_dim2", "kernel_dim3"), "kernel_size"),)
GATHERED: dict[str, tuple[Gathered, ...]] = {
    "Conv2D": ROWS_AND_COLUMNS,
    "ConvLSTM2D": ROWS_AND_COLUMNS,
    "Conv3D": THREE_SIZES,
    "Conv2DTranspose": ROWS_AND_COLUMNS,
    "Conv3DTranspose": THREE_SIZES,
    "SeparableConv2D": ROWS_AND_COLUMNS,
    "LocallyConnected2D": ROWS_AND_COLUMNS,
}

TWO_INTS = Positional(1, 2, "kernel_size", ("strides", "kernel_size"))
THREE_INTS = Positional(1, 3, "kernel_size", ("strides", "kernel_size"))
_STACK_SECOND = (
    "Keras 0.1 has the channels of the input second; write Convolution2D({0}, {2}, {3}), and for the first layer "
    "input_shape=({1}, rows, columns), dim_ordering='th'."
)
INPUT_FIRST: dict[str, InputFirst] = {
    **dict.fromkeys("Dense TimeDistributedDense SimpleRNN LSTM GRU".split(), InputFirst()),
    "Conv2D": InputFirst(4, _STACK_SECOND),
}
POSITIONAL: dict[str, Positional] = {
    "Conv2D": TWO_INTS,
    "ConvLSTM2D": TWO_INTS,
    "Conv3D": THREE_INTS,
    "SeparableConv2D": TWO_INTS,
    "LocallyConnected2D": TWO_INTS,
    "Conv2DTranspose": replace(TWO_INTS, behind=("output_shape",)),
    "Conv3DTranspose": replace(THREE_INTS, behind=("output_shape",)),
}
