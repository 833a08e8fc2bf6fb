"""Names that are planned: they can be imported, and say what to write now when they are used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import layers as L
from torchkeras_compat._core.planned import ComesLater
from torchkeras_compat.compat.later import PLANNED
from torchkeras_compat.compat.names import ALIASES, MODULES, PLANNED_ALONE, ROOTS


@pytest.mark.parametrize("root", sorted(ROOTS))
@pytest.mark.parametrize("part", sorted(PLANNED))
def test_they_are_imported_and_refuse_to_be_used(part: str, root: str) -> None:
    module = importlib.import_module(f"{root}.{part}".rstrip("."))
    for name in PLANNED[part]:
        value = getattr(module, name)
        with pytest.raises(ComesLater, match=rf"^{name} comes later; .* now\b") as caught:
            value(1, key=2)
        assert isinstance(caught.value, NotImplementedError)
        assert name in dir(module)
        if isinstance(value, ModuleType):  # such as keras.applications
            continue
        with pytest.raises(ComesLater, match=f"^{name} comes later"):
            type("Mine", (value,), {})
        assert not isinstance(3, value)


@pytest.mark.parametrize("part", sorted(set(PLANNED) - set(PLANNED_ALONE)))
def test_what_is_there_is_not_planned(part: str) -> None:
    module = importlib.import_module(f"torchkeras_compat.{part}".rstrip("."))
    assert [name for name in PLANNED[part] if name in vars(module)] == []
    if part not in ("", "preprocessing"):
        assert all(getattr(module, name) for name in PLANNED[part])


@pytest.mark.parametrize("part", ["layers", "models", "callbacks", "utils"])
def test_all_of_keras_can_be_imported(part: str) -> None:
    module = importlib.import_module(f"torchkeras_compat.{part}")
    facade = importlib.import_module(f"keras.{part}")
    names = NAMES_OF_2_15[part].split()
    assert [name for name in names if not hasattr(facade, name)] == []
    old = ALIASES["layer"] if part == "layers" else {}
    assert [name for name in names if name not in old and not hasattr(module, name)] == []


NAMES_OF_2_15 = {
    "models": "Model Sequential clone_model load_model model_from_config model_from_json model_from_yaml save_model",
    "callbacks": """BackupAndRestore BaseLogger CSVLogger Callback CallbackList EarlyStopping History LambdaCallback
        LearningRateScheduler ModelCheckpoint ProgbarLogger ReduceLROnPlateau RemoteMonitor TensorBoard
        TerminateOnNaN""",
    "utils": """CustomObjectScope GeneratorEnqueuer OrderedEnqueuer Progbar Sequence SequenceEnqueuer array_to_img
        audio_dataset_from_directory custom_object_scope deserialize_keras_object disable_interactive_logging
        enable_interactive_logging get_custom_objects get_file get_registered_name get_registered_object
        get_source_inputs image_dataset_from_directory img_to_array is_interactive_logging_enabled load_img
        model_to_dot normalize pack_x_y_sample_weight pad_sequences plot_model register_keras_serializable save_img
        serialize_keras_object set_random_seed split_dataset text_dataset_from_directory timeseries_dataset_from_array
        to_categorical to_ordinal unpack_x_y_sample_weight HDF5Matrix multi_gpu_model""",
    "layers": """AbstractRNNCell Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
        Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2DTranspose Conv3DTranspose
        Convolution2DTranspose Deconvolution2D DepthwiseConv1D
        DepthwiseConv2D Discretization Dot EinsumDense GRUCell GroupNormalization HashedCrossing Hashing Identity
        InputSpec IntegerLookup LSTMCell LayerNormalization LocallyConnected1D LocallyConnected2D MaxoutDense Maximum
        Merge Minimum MultiHeadAttention Multiply Normalization RNN RandomBrightness RandomContrast RandomCrop
        RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom Rescaling Resizing
        SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNNCell
        SpectralNormalization StackedRNNCells StringLookup Subtract TextVectorization TimeDistributed
        TimeDistributedDense UnitNormalization Wrapper add average concatenate dot maximum merge minimum multiply
        subtract""",
}


def test_a_slip_of_the_pen_is_still_one() -> None:
    import keras

    with pytest.raises(ImportError, match="did you mean 'LayerNormalization'"):
        from keras.layers import LayerNormalizaton  # noqa: F401
    with pytest.raises(ImportError, match="did you mean 'Dense'"):
        from torchkeras_compat.layers import Dens  # noqa: F401
    with pytest.raises(AttributeError, match="did you mean 'load_model'"):
        _ = keras.models.loadmodel
    with pytest.raises(ModuleNotFoundError):
        import keras.wrapper
    assert not hasattr(keras.layers, "Bidirectionall")
    assert getattr(L, "Nothing", None) is None


def test_by_name_and_in_configurations() -> None:
    import keras

    for facade in (tk, keras):
        with pytest.raises(ComesLater, match=r"DenseFeatures comes later; write one array"):
            facade.layers.deserialize({"class_name": "DenseFeatures", "config": {}})
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "DenseFeatures", "config": {}}]}}
    with pytest.raises(ComesLater, match="DenseFeatures comes later"):
        tk.models.model_from_config(config)
    with pytest.raises(ValueError, match="unknown layer 'LayerNormalizaton': did you mean 'LayerNormalization'"):
        tk.layers.deserialize({"class_name": "LayerNormalizaton", "config": {}})


def test_star_import_and_attributes() -> None:
    names: dict[str, Any] = {}
    exec("from keras.layers import *", names)
    with pytest.raises(ComesLater):
        names["DenseFeatures"]([])
    assert not hasattr(names["DenseFeatures"], "from_config")
    with pytest.raises(ComesLater, match="DenseFeatures comes later"):
        names["DenseFeatures"].from_config({})
    assert "comes later" in repr(names["DenseFeatures"])


def test_instances_of_what_is_derived_from_a_planned_class() -> None:
    import keras
    import tensorflow as tf

    for facade in (keras, tf.keras):
        assert isinstance(facade.models.Sequential(), facade.models.Model)
        assert isinstance(facade.Sequential(), facade.Model)
        assert isinstance(facade.layers.LSTM(2), facade.layers.RNN)
        assert not isinstance(facade.layers.Dense(2), facade.models.Model)


def test_the_package_has_its_modules_as_attributes() -> None:
    program = (
        "import sys, torchkeras_compat as keras\n"
        "assert 'torchkeras_compat.datasets' not in sys.modules\n"
        "keras.datasets.mnist.load_data, keras.preprocessing.text.Tokenizer, keras.preprocessing.image.load_img\n"
        "keras.objectives.mse, keras.utils.np_utils if hasattr(keras.utils, 'np_utils') else 0\n"
        "assert {'datasets', 'preprocessing', 'layers'} <= set(dir(keras))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    assert all(hasattr(tk, part) for part in MODULES if "." not in part and part not in PLANNED_ALONE)
    with pytest.raises(AttributeError, match="has no attribute 'dataset'; did you mean 'datasets'"):
        _ = tk.dataset
    with pytest.raises(ComesLater, match=r"comes later; write a preprocessing layer for each feature"):
        tk.utils.FeatureSpace()


def test_names_of_the_package_that_are_told() -> None:
    """Those of Python itself are of no use, and `install` stands in `compat`."""
    with pytest.raises(AttributeError, match=r"known are: Input, Model, Sequential, [a-z]"):
        _ = tk.zzz
    with pytest.raises(AttributeError, match=r"no attribute 'install'; write torchkeras_compat\.compat\.install$"):
        _ = tk.install


def test_what_the_hints_recommend_works(tmp_path: Path) -> None:
    """The recipes in the table of planned names, run."""
    x = np.random.random((4, 5, 6)).astype("float32")
    both = torch.nn.LSTM(6, 3, batch_first=True, bidirectional=True)
    recipes: list[tuple[Any, tuple[int, ...]]] = [
        (L.TorchModuleWrapper(both, output_index=0), (None, 5, 6)),
        (L.LSTM(3, recurrent_activation="sigmoid"), (None, 3)),
        (L.GRU(3, recurrent_activation="sigmoid", reset_after=True), (None, 3)),
        (L.Conv1D(6, 2, groups=6), (None, 4, 6)),
        (L.TorchModuleWrapper(torch.nn.ConvTranspose1d(6, 2, 3), channels_first=True), (None, 7, 2)),
        (L.Activation("linear"), (None, 5, 6)),
    ]
    for layer, shape in recipes:
        model = tk.Sequential([L.Input((5, 6)), layer])
        assert model.output_shape == shape
        assert model.predict(x, verbose=0).shape == (4, *shape[1:])
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = x.reshape(4, -1), np.ones((4, 1))
        model = tk.Sequential([L.Dense(1, input_dim=30)])
        model.compile("sgd", "mse")
        model.fit(file["x"], file["y"], verbose=0)
