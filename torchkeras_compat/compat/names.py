"""Old names of classes, functions and modules, as data."""

from __future__ import annotations

from .initializations import NAMES as INITIALIZATIONS
from .inner_names import INNER
from .later import PLANNED

# kind → old name → canonical name; strings in configurations and calls find them too.
ALIASES: dict[str, dict[str, str]] = {
    "layer": {
        "Convolution1D": "Conv1D",
        "Convolution2D": "Conv2D",
        "Convolution3D": "Conv3D",
        **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
        **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
        "AtrousConv1D": "Conv1D",
        "AtrousConv2D": "Conv2D",
        "AtrousConvolution1D": "Conv1D",
        "AtrousConvolution2D": "Conv2D",
        **{f"{name}{n}D": f"Conv{n}DTranspose" for name in ("Deconvolution", "Deconv") for n in (2, 3)},
        **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
        **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
        **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
        **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
        "SyncBatchNormalization": "BatchNormalization",  # which is the same on one device
    },
    "initializer": {
        "uniform": "RandomUniform",
        "normal": "RandomNormal",
        "zero": "Zeros",
        "one": "Ones",
    },
    "optimizer": {"LossScaleOptimizerV3": "LossScaleOptimizer", "LossScaleOptimizerV1": "LossScaleOptimizer"},
    "constraint": {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"},
    "regularizer": {
        **dict.fromkeys(("WeightRegularizer", "ActivityRegularizer", "L1L2Regularizer"), "L1L2"),
        "l1l2": "l1_l2",
        "activity_l1": "L1",
        "activity_l2": "L2",
        "activity_l1l2": "l1_l2",
    },
}

# Old name of a function of the backend → where it is found.
BACKEND_FUNCTIONS: dict[str, str] = {
    "lesser": "backend.less",
    "lesser_equal": "backend.less_equal",
    "pack": "backend.stack",
    **{
        name: f"compat.backend_functions.{name}"
        for name in (
            "asymmetric_temporal_padding asymmetric_spatial_2d_padding atrous_conv2d deconv2d control_dependencies "
            "v1_variable_initialization is_symbolic set_legacy_weight_ordering"
        ).split()
    },
}

# Module of this package → the kind of what its old names stand for.
KIND_OF: dict[str, str] = {
    "layers": "layer",
    "initializers": "initializer",
    "constraints": "constraint",
    "regularizers": "regularizer",
}

# Modules among whose names classic Keras looks for those in configurations, what a script has put there included.
LOOKED_IN = frozenset("activations constraints initializers layers losses metrics optimizers regularizers".split())

# Modules of `applications`.
APPLICATIONS = (
    "convnext densenet efficientnet efficientnet_v2 imagenet_utils inception_resnet_v2 inception_v3 mobilenet "
    "mobilenet_v2 mobilenet_v3 nasnet regnet resnet resnet50 resnet_rs resnet_v2 vgg16 vgg19 xception"
).split()
# Module of a facade → the module of this package behind it.
MODULES: dict[str, str] = {
    "activations": "activations",
    "backend": "backend",
    "callbacks": "callbacks",
    "constraints": "constraints",
    "datasets": "datasets",
    "initializers": "initializers",
    "layers": "layers",
    "losses": "losses",
    "metrics": "metrics",
    "mixed_precision": "mixed_precision",
    "models": "models",
    "optimizers": "optimizers",
    "preprocessing": "preprocessing",
    "regularizers": "regularizers",
    "saving": "saving",
    "utils": "utils",
    "wrappers": "wrappers",
    "wrappers.scikit_learn": "wrappers.scikit_learn",
    "objectives": "losses",
    "initializations": "initializers",
    **{f"callbacks.{part}": "callbacks" for part in ("callbacks", "tensorboard_v1", "tensorboard_v2")},
    "callbacks.experimental": "callbacks.experimental",
    "backend.common": "backend",
    "backend.tensorflow_backend": "backend",
    "mixed_precision.experimental": "mixed_precision",
    "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers.preprocessing",
    "layers.preprocessing": "layers.preprocessing",
    "optimizers.experimental": "optimizers.experimental",
    "optimizers.legacy": "optimizers.legacy",
    "optimizers.schedules": "optimizers.schedules",
    "engine": "layers",
    "legacy": "layers",
    **{
        f"layers.{family}": "layers"
        for family in (
            "core convolutional recurrent pooling embeddings normalization noise local merge wrappers "
            "advanced_activations convolutional_recurrent cudnn_recurrent"
        ).split()
    },
    **{f"legacy.{part}": "layers" for part in ("layers", "interfaces")},
    **dict.fromkeys(("legacy.models", "layers.containers"), "models"),
    **{f"engine.{part}": "layers" for part in ("topology", "base_layer", "input_layer")},
    **{
        f"engine.{part}": "models"
        for part in (
            "training training_arrays training_generator training_utils network sequential functional saving"
        ).split()
    },
    **{
        f"utils.{part}": "utils"
        for part in (
            "np_utils generic_utils data_utils io_utils layer_utils conv_utils vis_utils visualize_util test_utils "
            "multi_gpu_utils losses_utils metrics_utils training_utils"
        ).split()
    },
    **{f"preprocessing.{part}": f"preprocessing.{part}" for part in ("image", "sequence", "text")},
    **{f"preprocessing.{part}": "preprocessing" for part in ("timeseries", "image_dataset", "text_dataset")},
    **{f"utils.{part}": "utils" for part in ("image_dataset", "text_dataset", "timeseries_dataset")},
    "applications": "applications",
    **{f"applications.{part}": f"applications.{part}" for part in APPLICATIONS},
    "applications.mobilenetv2": "applications.mobilenet_v2",
    "applications.resnet_common": "applications.resnet",
    "datasets.cifar": "datasets",
    **{
        f"datasets.{name}": f"datasets.{name}"
        for name in "mnist fashion_mnist cifar10 cifar100 imdb reuters boston_housing california_housing".split()
    },
}

# Modules with planned names alone.
PLANNED_ALONE = [part for part in PLANNED if part in ("estimator", "experimental")]
MODULES.update({part: part for part in PLANNED_ALONE})

# Where a name is found that its module's counterpart does not have: facade module → old name → (module, name).
MOVED: dict[str, dict[str, tuple[str, str]]] = {
    "layers": {"Sequential": ("models", "Sequential")},
    "experimental": {name: ("optimizers.schedules", name) for name in ("CosineDecay", "CosineDecayRestarts")},
    "mixed_precision.experimental": {"set_policy": ("mixed_precision", "set_global_policy")},
    "models": dict.fromkeys(("Network", "Functional", "Container"), ("models", "Model")),
    "engine": {"Sequential": ("models", "Sequential")}
    | dict.fromkeys(("Model", "Network", "Container"), ("models", "Model")),
    "engine.topology": dict.fromkeys(("Container", "Network"), ("models", "Model")),
    "engine.network": {"Network": ("models", "Model")},
    "engine.functional": {"Functional": ("models", "Model")},
    "initializations": {name: ("compat.initializations", name) for name in INITIALIZATIONS},
}
for _part, _places in INNER.items():
    MOVED[_part] = {**_places, **MOVED.get(_part, {})}

# What each facade reports as its version.
VERSIONS: dict[str, str] = {"keras": "2.3.1", "tensorflow": "2.10.0"}

# Root of an import → the dialect its classes carry; `None` follows `set_dialect`.
ROOTS: dict[str, str | None] = {
    "keras": None,
    "tensorflow.keras": "tf.keras",
    "tensorflow.python.keras": "tf.keras",
    "tensorflow.contrib.keras": "tf.keras",
    "tensorflow.contrib.keras.api.keras": "tf.keras",
    "tensorflow.contrib.keras.python.keras": "tf.keras",
}
# Modules that stand beside a root.
BESIDE: dict[str, str] = {
    "keras_preprocessing": "preprocessing",
    "keras_preprocessing.image": "preprocessing.image",
    "keras_preprocessing.sequence": "preprocessing.sequence",
    "keras_preprocessing.text": "preprocessing.text",
    "keras_applications": "applications",
    **{f"keras_{part}": target for part, target in MODULES.items() if part.startswith("applications.")},
}
# Modules of TensorFlow that hold what needs no graph; `tensorflow_names` says what is in them.
TENSORFLOW_PARTS = (
    "audio math nn image io linalg signal debugging errors nest random strings dtypes data data.experimental config "
    "config.experimental config.threading io.gfile python_io gfile lookup sparse ragged distribute "
    "distribute.experimental distribute.cluster_resolver test train logging autograph autograph.experimental summary "
    "version compat"
).split()
PACKAGES = {
    *("tensorflow", "tensorflow.python", "tensorflow.contrib"),
    *("tensorflow.python.client", "tensorflow.python.client.device_lib"),
    *("tensorflow.contrib.keras.api", "tensorflow.contrib.keras.python"),
    *(f"tensorflow.{part}" for part in TENSORFLOW_PARTS),
    *(
        f"tensorflow.compat.{version}{'.' if part else ''}{part}"
        for version in ("v1", "v2")
        for part in ("", *TENSORFLOW_PARTS)
        if part != "compat"
    ),
}
ROOTS |= {f"tensorflow.compat.{version}.keras": "tf.keras" for version in ("v1", "v2")}
# Parts of tf.keras that stand in tensorflow itself, too.
ALSO_IN_TENSORFLOW = "optimizers losses metrics initializers regularizers constraints activations callbacks".split()
