"""What users import: the names are there, are documented, and reach what the registry knows."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import torchkeras_compat
from torchkeras_compat._core import registry

PACKAGE = "torchkeras_compat"
MODULES = (
    *("activations", "backend", "callbacks", "compat", "constraints", "datasets", "initializers", "layers", "losses"),
    *(
        "metrics",
        "mixed_precision",
        "models",
        "optimizers",
        "optimizers.legacy",
        "optimizers.schedules",
        "preprocessing",
    ),
    *("preprocessing.image", "preprocessing.sequence", "preprocessing.text", "regularizers", "utils"),
)

# What the package promises by name; more is welcome.
PROMISED = {
    "layers": """InputLayer Input Dense Activation Dropout Flatten Reshape Permute RepeatVector Lambda Masking Embedding
        Conv1D Conv2D MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D GlobalAveragePooling1D
        GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D BatchNormalization SimpleRNN LSTM GRU
        ZeroPadding1D ZeroPadding2D UpSampling1D UpSampling2D LeakyReLU GaussianNoise Layer""",
    "models": "Sequential clone_model model_from_json",
    "callbacks": """Callback History EarlyStopping ReduceLROnPlateau LearningRateScheduler CSVLogger LambdaCallback
        TerminateOnNaN ModelCheckpoint ProgbarLogger""",
    "optimizers": "SGD RMSprop Adagrad Adadelta Adam Adamax Nadam Ftrl Optimizer get serialize deserialize",
    "mixed_precision": "Policy LossScaleOptimizer global_policy set_global_policy",
    "losses": """mean_squared_error mean_absolute_error categorical_crossentropy sparse_categorical_crossentropy
        binary_crossentropy hinge kullback_leibler_divergence poisson cosine_similarity Loss get""",
    "metrics": """binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy
        sparse_top_k_categorical_accuracy Metric get""",
    "initializers": """Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal
        Identity GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform get""",
    "regularizers": "l1 l2 l1_l2 L1 L2 L1L2 Regularizer get",
    "constraints": "MaxNorm NonNeg UnitNorm MinMaxNorm Constraint get",
    "activations": "elu selu relu softmax softplus softsign tanh sigmoid hard_sigmoid exponential linear gelu get",
    "backend": "mean sum square variable function gradients floatx epsilon image_data_format get_value set_value",
    "utils": "to_categorical normalize Progbar Sequence get_file",
}
# Kind of the registry → module from which its classes are imported.
HOMES = {
    "layer": ("layers", "models", "applications.convnext", "applications.inception_resnet_v2"),
    "loss": ("losses",),
    "metric": ("metrics", "losses"),
    "optimizer": ("optimizers", "mixed_precision"),
    "callback": ("callbacks",),
    "initializer": ("initializers",),
    "regularizer": ("regularizers",),
    "constraint": ("constraints",),
    "activation": ("activations",),
    "schedule": ("optimizers.schedules",),
}


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


def exports(name: str) -> list[str]:
    """Return `__all__`; in a single file without one, what it defines."""
    found = module(name)
    defined = [n for n, o in vars(found).items() if getattr(o, "__module__", "") == found.__name__]
    return getattr(found, "__all__", None) or [n for n in defined if not n.startswith("_")]


@pytest.mark.parametrize("name", MODULES)
def test_all_is_true(name: str) -> None:
    listed = exports(name)
    assert len(listed) == len(set(listed))
    assert [n for n in listed if not hasattr(module(name), n)] == []


@pytest.mark.parametrize("name", PROMISED)
def test_promised_names_are_there(name: str) -> None:
    assert [n for n in PROMISED[name].split() if not hasattr(module(name), n)] == []


@pytest.mark.parametrize("name", MODULES)
def test_exports_are_documented(name: str) -> None:
    exported = [(n, getattr(module(name), n)) for n in exports(name)]
    ours = [(n, o) for n, o in exported if inspect.isclass(o) or inspect.isfunction(o)]
    assert [n for n, o in ours if not inspect.getdoc(o)] == []


@pytest.mark.parametrize("kind", HOMES)
def test_registered_classes_are_exported(kind: str) -> None:
    registered = {o for o in registry.KINDS[kind].entries.values() if o.__module__.startswith(PACKAGE)}
    assert registered
    exported = {id(getattr(module(home), n)) for home in HOMES[kind] for n in exports(home)}
    missing = {o.__name__ for o in registered if id(o) not in exported and not o.__name__.startswith("_")}
    assert missing == set()


def test_top_level() -> None:
    for name in ("Sequential", "Input", "set_device", "set_dialect", "__version__"):
        assert hasattr(torchkeras_compat, name)


def test_import_is_light() -> None:
    """What only some calls need is loaded by those calls."""
    heavy = [
        "h5py",
        "matplotlib",
        "PIL",
        "scipy",
        "sklearn",
        "pandas",
        "onnx",
        "tensorboard",
        "torch.utils.tensorboard",
    ]
    code = f"import sys, {PACKAGE}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
