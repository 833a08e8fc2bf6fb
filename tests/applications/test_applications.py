"""What surrounds the networks: pictures going in, predictions coming out, weights from files, wrong arguments."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import applications
from torchkeras_compat import backend as K
from torchkeras_compat.applications import imagenet_utils as utils
from torchkeras_compat.utils.files import FOLDER_VARIABLE, DownloadError

# mode → what Keras 2.15 makes of 0, 20, …, 220 as (2, 1, 2, 3): the first three numbers, the last three.
LAST = {
    "caffe": ([-63.939, -96.779, -123.68], [116.061, 83.221, 56.32]),
    "tf": ([-1.0, -0.84314, -0.68627], [0.41176, 0.56863, 0.72549]),
    "torch": ([-2.1179, -1.68557, -1.10728], [0.96455, 1.46569, 2.02998]),
}
# The same numbers as (1, 3, 2, 2) with channels first: the first point of each channel.
FIRST = {
    "caffe": [56.061, -36.779, -123.68],
    "tf": [-1.0, -0.37255, 0.2549],
    "torch": [-2.1179, -0.63515, 0.98423],
}
# Module → what its preprocess_input makes of a grey of 100.
OF_100 = {
    **dict.fromkeys(("vgg16", "vgg19", "resnet", "resnet50"), (-3.939, -16.779, -23.68)),
    **dict.fromkeys(("resnet_v2", "inception_v3", "xception", "mobilenet", "mobilenet_v2"), 3 * (-0.2157,)),
    "densenet": (-0.4054, -0.285, -0.0615),
    **dict.fromkeys(("inception_resnet_v2", "nasnet"), 3 * (-0.2157,)),
    **dict.fromkeys(
        ("efficientnet", "efficientnet_v2", "mobilenet_v3", "convnext", "regnet", "resnet_rs"), 3 * (100.0,)
    ),
}


@pytest.mark.parametrize("mode", list(LAST))
def test_pictures_are_preprocessed_as_keras_does(mode: str) -> None:
    start, end = LAST[mode]
    x = np.arange(12).reshape(2, 1, 2, 3) * 20
    for pictures in (x, x.astype("float32"), K.constant(x), x[0], K.constant(x[0])):
        y = np.asarray(utils.preprocess_input(pictures, mode=mode)).ravel()
        np.testing.assert_allclose(y[:3], start, atol=1e-5)
        if len(y) == 12:
            np.testing.assert_allclose(y[-3:], end, atol=1e-5)
    x = np.arange(12).reshape(1, 3, 2, 2) * 20
    for pictures in (x.astype("float64"), K.constant(x), x[0]):
        y = np.asarray(utils.preprocess_input(pictures, "channels_first", mode)).reshape(3, 2, 2)
        np.testing.assert_allclose(y[:, 0, 0], FIRST[mode], atol=1e-5)


@pytest.mark.parametrize(("module", "expected"), OF_100.items())
def test_each_network_has_its_own(module: str, expected: tuple[float, ...]) -> None:
    preprocess = importlib.import_module(f"torchkeras_compat.applications.{module}").preprocess_input
    np.testing.assert_allclose(preprocess(np.full((1, 1, 1, 3), 100.0)).ravel(), expected, atol=1e-4)


def test_arrays_of_floats_are_written_over_as_in_keras() -> None:
    x = np.full((1, 2, 2, 3), 255.0)
    assert utils.preprocess_input(x, mode="tf") is x
    x = np.array([[[0.0, 100.0, 200.0]]])
    y = utils.preprocess_input(x, mode="caffe")
    assert np.shares_memory(x, y)
    np.testing.assert_allclose(x.ravel(), y.ravel()[::-1])
    integers = np.full((1, 2, 2, 3), 255)
    assert utils.preprocess_input(integers).dtype == "float32"
    assert integers.max() == 255


def test_preprocessing_stands_in_a_graph() -> None:
    x = tk.layers.Input((2, 2, 3))
    model = tk.models.Model(x, tk.layers.Lambda(lambda t: utils.preprocess_input(t, mode="caffe"))(x))
    pictures = np.random.RandomState(0).uniform(0, 255, (2, 2, 2, 3)).astype("float32")
    np.testing.assert_allclose(
        model.predict(pictures, verbose=0), utils.preprocess_input(pictures.copy(), mode="caffe"), atol=1e-4
    )


def test_preprocessing_refuses() -> None:
    with pytest.raises(ValueError, match="mode must be one of 'caffe', 'tf', 'torch'"):
        utils.preprocess_input(np.zeros((1, 1, 3)), mode="caffee")
    with pytest.raises(ValueError, match="data_format must be one of"):
        utils.preprocess_input(np.zeros((1, 1, 3)), data_format="last")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    utils._classes.cache_clear()
    return tmp_path


def test_predictions_are_decoded(folder: Path) -> None:
    index = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}
    (folder / "imagenet_class_index.json").write_text(json.dumps(index))
    preds = np.zeros((2, 1000), "float32")
    preds[0, [3, 14, 159]] = 0.2, 0.5, 0.3
    preds[1, 999] = 1
    first, second = utils.decode_predictions(preds, top=3)
    assert [(name, round(float(p), 2)) for _, name, p in first] == [
        ("thing_14", 0.5),
        ("thing_159", 0.3),
        ("thing_3", 0.2),
    ]
    assert second[0] == ("n00000999", "thing_999", 1.0)
    assert len(applications.vgg16.decode_predictions(preds)[0]) == 5
    with pytest.raises(ValueError, match=r"of shape \(samples, 1000\); got an array of shape \(2, 10\)"):
        utils.decode_predictions(preds[:, :10])


def without_network(*args: Any, **kwargs: Any) -> Any:
    raise OSError("no network here")


def test_weights_of_imagenet_are_looked_for_where_keras_keeps_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchkeras_compat.utils.files.urlopen", without_network)
    shape = (128, 128, 3)
    with pytest.raises(DownloadError, match=r"put mobilenet_2_5_128_tf_no_top\.h5 into ~/\.keras/models"):
        applications.MobileNet(alpha=0.25, input_shape=shape, include_top=False)
    source = applications.MobileNet(alpha=0.25, input_shape=shape, include_top=False, weights=None)
    source.save_weights(str(folder / "mobilenet_2_5_128_tf_no_top.h5"))
    loaded = applications.MobileNet(alpha=0.25, input_shape=shape, include_top=False, pooling="avg")
    assert loaded.name == "mobilenet_0.25_128"
    for a, b in zip(source.get_weights(), loaded.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_names_of_weight_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Keras 2.15 asks for them."""
    asked: list[tuple[str, str]] = []

    def get_file(fname: str, origin: str, **options: Any) -> str:
        assert options["cache_subdir"] == "models"
        asked.append((fname, origin.rpartition("/")[0].rpartition(".com/")[2]))
        raise DownloadError("not now")

    monkeypatch.setattr("torchkeras_compat.utils.files.get_file", get_file)
    kernels = "weights_tf_dim_ordering_tf_kernels"
    expected: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
        "VGG16": ({}, (f"vgg16_{kernels}_notop.h5", "tensorflow/keras-applications/vgg16")),
        "ResNet50": ({}, (f"resnet50_{kernels}_notop.h5", "tensorflow/keras-applications/resnet")),
        "ResNet101V2": ({}, (f"resnet101v2_{kernels}_notop.h5", "tensorflow/keras-applications/resnet")),
        "InceptionV3": ({}, (f"inception_v3_{kernels}_notop.h5", "tensorflow/keras-applications/inception_v3")),
        "Xception": ({}, (f"xception_{kernels}_notop.h5", "tensorflow/keras-applications/xception")),
        "DenseNet121": ({}, (f"densenet121_{kernels}_notop.h5", "tensorflow/keras-applications/densenet")),
        "MobileNet": ({"alpha": 0.75}, ("mobilenet_7_5_224_tf_no_top.h5", "tensorflow/keras-applications/mobilenet")),
        "MobileNetV2": (
            {"alpha": 1.4, "input_shape": (96, 96, 3)},
            (f"mobilenet_v2_{kernels}_1.4_96_no_top.h5", "tensorflow/keras-applications/mobilenet_v2"),
        ),
        "EfficientNetB0": ({}, ("efficientnetb0_notop.h5", "keras-applications")),
        "InceptionResNetV2": (
            {},
            (f"inception_resnet_v2_{kernels}_notop.h5", "tensorflow/keras-applications/inception_resnet_v2"),
        ),
        "MobileNetV3Large": (
            {"minimalistic": True},
            (
                "weights_mobilenet_v3_large_minimalistic_224_1.0_float_no_top_v2.h5",
                "tensorflow/keras-applications/mobilenet_v3",
            ),
        ),
        "NASNetMobile": ({}, ("nasnet_mobile_no_top.h5", "tensorflow/keras-applications/nasnet")),
        "EfficientNetV2S": ({}, ("efficientnetv2-s_notop.h5", "tensorflow/keras-applications/efficientnet_v2")),
        "ConvNeXtBase": ({}, ("convnext_base_notop.h5", "tensorflow/keras-applications/convnext")),
        "RegNetY160": ({}, ("regnety160_notop.h5", "tensorflow/keras-applications/regnet")),
        "ResNetRS350": ({}, ("resnet-rs-350-i320_notop.h5", "tensorflow/keras-applications/resnet_rs")),
        "ResNetRS101": (
            {"weights": "imagenet-i160"},
            ("resnet-rs-101-i160_notop.h5", "tensorflow/keras-applications/resnet_rs"),
        ),
    }
    for name, (arguments, file) in expected.items():
        arguments = {"input_shape": (224, 224, 3), **arguments}
        with pytest.raises(DownloadError, match=f"put {file[0]} into"):
            getattr(applications, name)(include_top=False, **arguments)
        assert asked.pop() == file


def test_weights_of_a_file_and_a_tensor_to_stand_on(tmp_path: Path) -> None:
    source = applications.MobileNetV2(alpha=0.35, input_shape=(32, 32, 3), weights=None, classes=3)
    source.save_weights(str(tmp_path / "mine.h5"))
    x = tk.layers.Input((32, 32, 3))
    scaled = tk.layers.Rescaling(1 / 127.5, -1.0)(x)
    model = applications.MobileNetV2(
        alpha=0.35, input_tensor=scaled, input_shape=(32, 32, 3), weights=str(tmp_path / "mine.h5"), classes=3
    )
    assert model.inputs[0] is x
    pictures = np.random.RandomState(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        model.predict(pictures, verbose=0), source.predict(pictures / 127.5 - 1, verbose=0), rtol=1e-4
    )


def test_pretrained_efficientnets_divide_once_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchkeras_compat.models.Model.load_weights", lambda self, path: None)
    (folder / "efficientnetb0_notop.h5").write_bytes(b"")
    model = applications.EfficientNetB0(include_top=False, input_shape=(32, 32, 3))
    scaling = [layer for layer in model.layers if isinstance(layer, tk.layers.Rescaling)][1]
    # 1 / sqrt of the deviations of ImageNet's colours, as Keras 2.15 has them in this layer
    np.testing.assert_allclose(scaling.get_config()["scale"], [2.0896918, 2.1128857, 2.1081852], rtol=1e-6)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "too small": ("VGG16", {"weights": None, "input_shape": (20, 40, 3)}, r"least \(32, 32, 3\); got \(20, 40, 3\)"),
    "too small for Inception": (
        "InceptionV3",
        {"weights": None, "input_shape": (74, 80, 3)},
        r"least \(75, 75, 3\)",
    ),
    "any size under a head": ("VGG16", {"weights": None, "input_shape": (None, 40, 3)}, "pictures of one size"),
    "no file": ("VGG16", {"weights": "nowhere.h5"}, "weights must be 'imagenet', None or the path"),
    "classes": ("ResNet50", {"classes": 5}, "tell 1000 classes apart, and classes is 5; write include_top=False"),
    "another size": ("VGG16", {"input_shape": (100, 100, 3)}, r"must be \(224, 224, 3\); got \(100, 100, 3\)"),
    "no shape": ("VGG16", {"weights": None, "input_shape": (40, 40)}, "three numbers"),
    "gray": ("VGG16", {"include_top": False, "input_shape": (40, 40, 1)}, "pictures of 3 channels"),
    "width": ("MobileNet", {"alpha": 0.3}, r"alpha=0\.25, 0\.5, 0\.75, 1\.0; got 0\.3"),
    "depth": ("MobileNet", {"depth_multiplier": 2, "input_shape": (224, 224, 3)}, "depth_multiplier=1; got 2"),
    "width of the third version": ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True}, r"alpha=1\.0; got 0\.75"),
    "size of weights": ("ResNetRS50", {"weights": "imagenet-i192"}, "weights must be one of 'imagenet-i160'; got"),
    "activation": ("VGG16", {"classifier_activation": "sigmoid"}, "'softmax', or None for logits"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_it_refuses_what_keras_refuses(case: str) -> None:
    name, arguments, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        getattr(applications, name)(**arguments)


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match=r"VGG16\(\) got an unexpected keyword argument 'top'"):
        applications.VGG16(weights=None, top=False)
    with pytest.warns(UserWarning, match="'mean' pools nothing"):
        model = applications.MobileNet(alpha=0.25, weights=None, include_top=False, pooling="mean")
    assert model.output_shape == (None, None, None, 256)
    with pytest.warns(UserWarning, match="usually takes pictures of 1 or 3 channels"):
        applications.MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 5))


def test_calls_give_graphs_their_operators_names_in_order() -> None:
    """`x + y` is numbered as it is written, not as a search from the outputs finds it: as in Keras 2.15."""
    x = tk.layers.Input((4,))
    first = x + tk.layers.Dense(4)(x)
    second = first + tk.layers.Dense(4)(first)
    model = tk.models.Model(x, second + first * 2)
    names = [layer.name for layer in model.layers if layer.name.startswith("tf.")]
    assert names == [
        "tf.__operators__.add",
        "tf.__operators__.add_1",
        "tf.math.multiply",
        "tf.__operators__.add_2",
    ]


def test_channels_first() -> None:
    K.set_image_data_format("channels_first")
    try:
        model = applications.MobileNetV2(alpha=0.35, input_shape=(3, 32, 48), weights=None, include_top=False)
        assert model.output_shape == (None, 1280, 1, 2)
        net = applications.EfficientNetB0(input_shape=(3, 32, 32), weights=None, classes=3)
        assert net.predict(np.zeros((1, 3, 32, 32)), verbose=0).shape == (1, 3)
    finally:
        K.set_image_data_format("channels_last")


def test_names_of_old_scripts() -> None:
    tk.compat.install()
    try:
        from keras.applications.imagenet_utils import _obtain_input_shape
        from keras.applications.resnet50 import ResNet50
        from tensorflow.keras.applications import MobileNetV2

        assert _obtain_input_shape(None, 224, 32, "channels_last", False) == (None, None, 3)
        assert ResNet50 is applications.ResNet50
        model = MobileNetV2(alpha=0.35, weights=None, input_shape=(32, 32, 3), include_top=False)
        assert model.get_layer("Conv1_relu").output_shape == (None, 16, 16, 16)
    finally:
        tk.compat.uninstall()
