"""The helper functions of old modules, against numpy or the layers that they describe."""

from __future__ import annotations

import builtins
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat._core.border import KerasSpellingWarning


def random(*shape: int) -> Any:
    return np.random.RandomState(3).standard_normal(shape).astype("float32")


# --- keras.utils.generic_utils ---


def test_has_arg() -> None:
    from keras.utils.generic_utils import has_arg

    def by_name(x: Any, *, training: Any = None) -> Any:
        return x

    def takes_all(x: Any, **kwargs: Any) -> Any:
        return x

    assert has_arg(by_name, "training")
    assert not has_arg(by_name, "mask")
    assert not has_arg(takes_all, "mask")
    assert has_arg(takes_all, "mask", accept_all=True)
    assert not has_arg(abs, "x")  # by place alone
    assert has_arg(tk.layers.Dropout(0.5).call, "training")
    assert not has_arg(tk.layers.Dense(1).call, "training")


def test_slices_of_arrays() -> None:
    from keras.engine.training import _slice_arrays, slice_X
    from keras.utils.generic_utils import slice_arrays

    x, y = np.arange(10), np.arange(20).reshape(10, 2)
    for cut in (slice_X, _slice_arrays, slice_arrays):
        assert cut(x, 2, 4).tolist() == [2, 3]
        assert cut(x, 8).tolist() == [8, 9]
        first, second = cut([x, y], np.array([1, 3]))
        assert first.tolist() == [1, 3]
        assert second.tolist() == [[2, 3], [6, 7]]
    assert slice_arrays(None, 1, 2) == [None]
    with pytest.raises(ValueError, match="indices need no stop"):
        slice_arrays(x, [1, 2], 3)


def test_shapes_of_another_order() -> None:
    from keras.utils.generic_utils import transpose_shape

    assert transpose_shape((16, 128, 64, 32), "channels_first", spatial_axes=(1, 2)) == (16, 32, 128, 64)
    assert transpose_shape([16, 5, 128, 64, 32], "channels_first", (2, 3)) == [16, 5, 32, 128, 64]
    assert transpose_shape((128, 64, 32), "channels_last", (0, 1)) == (128, 64, 32)
    with pytest.raises(ValueError, match="channels_last"):
        transpose_shape((1, 2, 3), "first", (0, 1))


def test_byte_code_of_this_process_alone_is_run(tmp_path: Path) -> None:
    from keras.utils.generic_utils import func_dump, func_load

    offset = 3

    def shifted(x: float, by: float = 2) -> float:
        return float(np.float64(x + by + offset))

    code, defaults, closure = func_dump(shifted)
    assert func_load(code, defaults, closure)(1) == 6
    assert func_load([code, list(defaults), closure])(1, 1) == 5
    assert func_load(code, defaults, closure, globs=globals())(1) == 6
    with pytest.raises(ValueError, match="custom_objects"):
        func_load(code.replace("\n", "") + "AAAA\n")


def test_small_helpers_of_lists() -> None:
    from keras.utils import generic_utils as G

    assert G.to_list((1,)) == [(1,)]
    assert G.to_list((1,), allow_tuple=True) == [1]
    assert G.unpack_singleton([3]) == 3
    assert G.is_all_none((None, None))
    assert not G.is_all_none([None, 0])
    a, b = object(), object()
    assert G.object_list_uid([a, b]) == G.object_list_uid([a, b]) != G.object_list_uid([b, a])
    with pytest.raises(ValueError, match="its keys must be among"):
        G.check_for_unexpected_keys("loss", {"c": 1}, ["a"])
    assert G.get_from_module({"name": "sgd", "lr": 0.3}, {"sgd": tk.optimizers.SGD}, "optimizer").lr == pytest.approx(
        0.3
    )
    with pytest.raises(ValueError, match="unknown optimizer"):
        G.get_from_module("sdg", {"sgd": 1}, "optimizer")


# --- keras.utils.conv_utils ---


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize(("size", "stride", "dilation"), [(3, 1, 1), (4, 2, 1), (2, 3, 1), (3, 1, 2)])
def test_length_of_a_convolution(padding: str, size: int, stride: int, dilation: int) -> None:
    from keras.utils.conv_utils import conv_input_length, conv_output_length

    layer = tk.layers.Conv1D(1, size, strides=stride, padding=padding, dilation_rate=dilation)
    for length in (9, 10, 11):
        out = conv_output_length(length, size, padding, stride, dilation)
        assert layer(np.zeros((1, length, 1), "float32")).shape[1] == out
        if padding == "valid" and dilation == 1:
            back = conv_input_length(out, size, padding, stride)
            assert length - stride < back <= length
    assert conv_output_length(None, size, padding, stride) is None


def test_full_convolutions_and_old_words() -> None:
    from keras.utils.np_utils import conv_output_length

    for length, size, dilation in ((7, 3, 1), (5, 2, 3)):
        kernel = np.zeros((size - 1) * dilation + 1)
        kernel[::dilation] = 1
        assert conv_output_length(length, size, "full", 1, dilation) == len(
            np.convolve(np.ones(length), kernel, "full")
        )
    with pytest.warns(KerasSpellingWarning, match="padding='same'"):
        assert conv_output_length(7, 3, border_mode="same", stride=2) == 4
    with pytest.raises(ValueError, match="'valid'"):
        conv_output_length(7, 3, "vaild", 1)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "stride", "more"), [(3, 1, None), (3, 2, None), (2, 3, None), (3, 2, 0), (3, 2, 1)])
def test_length_of_a_transposed_convolution(padding: str, size: int, stride: int, more: int | None) -> None:
    from keras.utils.conv_utils import deconv_length

    layer = tk.layers.Conv2DTranspose(1, size, strides=stride, padding=padding, output_padding=more)
    shape = layer(np.zeros((1, 5, 6, 1), "float32")).shape
    assert (deconv_length(5, stride, size, padding, more), deconv_length(6, stride, size, padding, more)) == shape[1:3]
    assert deconv_length(None, stride, size, padding, more) is None


def test_normalized_arguments() -> None:
    from keras.utils import conv_utils

    assert conv_utils.normalize_tuple([2, 3], 2, "strides") == (2, 3)
    assert conv_utils.normalize_padding("Same") == "same"
    assert conv_utils.normalize_data_format(None) == "channels_last"
    for wrong in ((1, 2, 3), "ab", 1.5):
        with pytest.raises(ValueError, match="strides"):
            conv_utils.normalize_tuple(wrong, 2, "strides")


def test_kernels_of_theano() -> None:
    from keras.utils.layer_utils import convert_all_kernels_in_model, convert_dense_weights_data_format
    from keras.utils.np_utils import convert_kernel

    kernel = random(3, 2, 4, 5)
    assert np.array_equal(convert_kernel(kernel), kernel[::-1, ::-1])
    assert np.array_equal(convert_kernel(kernel, "th"), kernel[:, :, ::-1, ::-1])
    model = tk.Sequential([tk.layers.Conv2D(2, 3, input_shape=(5, 6, 3)), tk.layers.Flatten(), tk.layers.Dense(4)])
    before = model.get_weights()
    convert_all_kernels_in_model(model)
    assert np.array_equal(model.get_weights()[0], before[0][::-1, ::-1])
    assert np.array_equal(model.get_weights()[2], before[2])

    maps = random(7, 3, 4, 2)  # rows, columns, channels
    first, last = maps.transpose(0, 3, 1, 2).reshape(7, -1), maps.reshape(7, -1)
    dense = tk.layers.Dense(4, input_dim=24)
    dense.build((None, 24))
    expected = np.asarray(dense(last))
    convert_dense_weights_data_format(dense, (2, 3, 4), "channels_first")
    np.testing.assert_allclose(np.asarray(dense(first)), expected, atol=1e-6)
    convert_dense_weights_data_format(dense, (3, 4, 2), "channels_last")
    np.testing.assert_allclose(np.asarray(dense(last)), expected, atol=1e-6)


# --- keras.engine.training ---


def test_batches() -> None:
    from keras.engine.training import batch_shuffle, make_batches
    from keras.engine.training_utils import iter_sequence_infinite, should_run_validation

    assert make_batches(10, 4) == [(0, 4), (4, 8), (8, 10)]
    shuffled = batch_shuffle(np.arange(11), 3)
    assert shuffled[9:].tolist() == [9, 10]
    assert sorted(map(tuple, shuffled[:9].reshape(3, 3).tolist())) == [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    batches = iter_sequence_infinite([1, 2, 3])
    assert [next(batches) for _ in range(4)] == [1, 2, 3, 1]
    assert [should_run_validation(2, epoch) for epoch in range(4)] == [False, True, False, True]


def test_arrays_by_name() -> None:
    from keras.engine.training import check_array_lengths, standardize_input_data

    x = np.ones((3, 2))
    a, b = standardize_input_data({"b": np.ones(3), "a": x}, ["a", "b"], [(None, 2), (None, 1)])
    assert (a.shape, b.shape) == ((3, 2), (3, 1))
    for wrong, text in (
        (lambda: standardize_input_data({"a": x}, ["a", "b"]), r"nothing for \['b'\]"),
        (lambda: standardize_input_data([x], ["a", "b"]), "expected 2 arrays"),
        (lambda: standardize_input_data(x, ["a"], [(None, 3)]), r"expected the shape \(None, 3\); got \(3, 2\)"),
        (lambda: check_array_lengths([x], [np.ones(4)]), "one number of samples"),
    ):
        with pytest.raises(ValueError, match=text):
            wrong()


def test_weights_of_samples() -> None:
    from keras.engine.training import standardize_class_weights, standardize_sample_weights, standardize_weights

    one_hot = np.eye(3)[[2, 0, 1]]
    assert standardize_weights(one_hot, class_weight={0: 1, 1: 2, 2: 3}).tolist() == [3, 1, 2]
    assert standardize_weights(np.ones((2, 4, 1)), sample_weight_mode="temporal").shape == (2, 4)
    with pytest.raises(ValueError, match=r"there is none for \[2\]"):
        standardize_weights(one_hot, class_weight={0: 1, 1: 2})
    with pytest.warns(UserWarning, match="class_weight is ignored"):
        assert standardize_weights(one_hot, np.array([1, 2, 3]), {0: 1}).tolist() == [1, 2, 3]
    assert standardize_sample_weights([1, None], ["a", "b"]) == [1, None]
    assert standardize_class_weights({"a": {0: 1}}, ["a"]) == [{0: 1}]


def test_a_weighted_and_masked_loss_is_that_of_training() -> None:
    """The objective of Keras 2.2.4: the mean of the scores, over the fractions that the mask and the weights leave."""
    from keras.engine.training import weighted_masked_objective

    y, p = random(4, 3, 2), random(4, 3, 2)[::-1].copy()
    mask = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]], "float32")
    weights = np.array([1, 0, 2, 3], "float32")
    score = ((y - p) ** 2).mean(-1) * mask / mask.mean()
    expected = (score.mean(1) * weights / (weights != 0).mean()).mean()
    loss = weighted_masked_objective(tk.losses.mean_squared_error)
    np.testing.assert_allclose(float(loss(y, p, weights, mask)), expected, rtol=1e-5)
    np.testing.assert_allclose(float(loss(y, p, None)), ((y - p) ** 2).mean(), rtol=1e-5)


def test_targets_that_do_not_fit_their_loss() -> None:
    from keras.engine.training import check_loss_and_target_compatibility, collect_metrics

    crossentropy = tk.losses.categorical_crossentropy
    check_loss_and_target_compatibility([np.ones((3, 2)), None], [crossentropy, None], [(None, 2), (None, 1)])
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        check_loss_and_target_compatibility([np.ones((3, 1))], [crossentropy], [(None, 2)])
    with pytest.raises(ValueError, match=r"do not fit an output of shape \(None, 2\)"):
        check_loss_and_target_compatibility([np.ones((3, 5))], [tk.losses.mean_squared_error], [(None, 2)])
    assert collect_metrics(["mae"], ["a", "b"]) == [["mae"], ["mae"]]
    assert collect_metrics({"b": "mae"}, ["a", "b"]) == [[], ["mae"]]


# --- keras.utils.losses_utils and metrics_utils ---


def test_weighted_losses() -> None:
    from keras.utils import losses_utils as L

    losses, weights = random(4, 3), np.array([1, 2, 0, 3], "float32")
    product = losses * weights[:, None]
    np.testing.assert_allclose(float(L.compute_weighted_loss(losses, weights)), product.mean(), rtol=1e-5)
    np.testing.assert_allclose(
        float(L.compute_weighted_loss(losses, weights, L.Reduction.SUM)), product.sum(), rtol=1e-5
    )
    np.testing.assert_allclose(L.compute_weighted_loss(losses, weights, "none"), product, rtol=1e-5)
    np.testing.assert_allclose(float(L.reduce_weighted_loss(losses, "sum")), losses.sum(), rtol=1e-5)
    for shapes in (((4, 1), (4,), (4,)), ((4,), (4, 1), (4, 1))):
        y_pred, y_true, weight = L.squeeze_or_expand_dimensions(*(np.ones(shape) for shape in shapes))
        assert tuple(y_pred.shape) == tuple(y_true.shape) == tuple(weight.shape) == (4,)


def test_counts_at_thresholds() -> None:
    from keras import backend as K
    from keras.utils import metrics_utils as M

    y, p = np.array([1, 0, 1, 0, 1]), np.array([0.9, 0.6, 0.3, 0.1, 0.5])
    weights, limits = np.array([1, 2, 1, 1, 3.0]), np.array([0.2, 0.5])
    counts = {key: K.zeros((2,)) for key in M.ConfusionMatrix}
    for _ in range(2):
        M.update_confusion_matrix_variables(counts, y, p, limits.tolist(), sample_weight=weights)
    above, label = p > limits[:, None], y == 1
    expected = {
        "tp": above & label,
        "fp": above & ~label,
        "fn": ~above & label,
        "tn": ~above & ~label,
    }
    for key, variable in counts.items():
        np.testing.assert_allclose(K.get_value(variable), 2 * (expected[key.value] * weights).sum(1), rtol=1e-6)
    with pytest.raises(ValueError, match="ConfusionMatrix"):
        M.update_confusion_matrix_variables({"tp": 1}, y, p)
    assert M.AUCCurve.from_str("pr") is M.AUCCurve.PR
    assert M.parse_init_thresholds(0.3) == [0.3]
    with pytest.raises(ValueError, match="from 0 to 1"):
        M.assert_thresholds_range([1.5])


# --- keras.utils.np_utils, test_utils, data_utils, io_utils, layer_utils ---


def test_classes_and_scores() -> None:
    from keras.utils import np_utils as N

    assert N.probas_to_classes(np.array([[0.2, 0.8], [0.7, 0.3]])).tolist() == [1, 0]
    for shape in ((3,), (3, 1)):
        assert N.probas_to_classes(np.array([0.2, 0.5, 0.7]).reshape(shape)).tolist() == [0, 0, 1]
    p, y = np.array([0.2, 0.9]), np.array([0, 1])
    assert float(N.binary_logloss(p, y)) == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2)
    assert float(N.multiclass_logloss([[0.2, 0.8], [0.5, 0.5]], [2, 1])) == pytest.approx(
        -(np.log(0.8) + np.log(0.5)) / 2
    )
    assert float(N.accuracy([1, 2, 3], [1, 2, 4])) == pytest.approx(2 / 3)


def test_data_to_try_a_model_on() -> None:
    from keras.utils.test_utils import get_test_data

    (x, y), (x_test, y_test) = get_test_data(2000, 10, (4,), num_classes=3)
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((2000, 4), (2000,), (10, 4), (10,))
    assert set(y) == {0, 1, 2}
    for label in range(3):
        assert x[y == label].mean() == pytest.approx(label, abs=0.1)
        assert x[y == label].std() == pytest.approx(0.7, abs=0.05)
    (x, y), _ = get_test_data(50, 5, (4,), (2, 3), classification=False)
    assert y.shape == (50, 2, 3)
    with pytest.warns(KerasSpellingWarning):
        (x, _), _ = get_test_data(nb_train=5, nb_test=2, nb_class=2)
    assert len(x) == 5


def test_layer_test_finds_what_is_wrong() -> None:
    from keras.utils.test_utils import keras_test, layer_test

    class Wrong(tk.layers.Layer):
        def call(self, x: Any) -> Any:
            return x[:, :1]

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    out = layer_test(tk.layers.Dense, {"units": 3}, input_shape=(2, 4), fixed_batch_size=True)
    assert out.shape == (2, 3)
    layer_test(tk.layers.Dropout, {"rate": 0.5}, input_data=np.ones((2, 3), "float32"), expected_output=np.ones((2, 3)))
    with pytest.raises(AssertionError, match="announced is the shape"):
        layer_test(Wrong, input_shape=(2, 4))
    with pytest.raises(AssertionError):
        layer_test(tk.layers.ReLU, input_data=-np.ones((2, 3)), expected_output=np.ones((2, 3)))
    with pytest.raises(ValueError, match="input_shape"):
        layer_test(tk.layers.ReLU)
    assert keras_test(lambda value: value + 1)(2) == 3


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.datasets.cifar import load_batch
    from keras.utils.data_utils import _hash_file, validate_file
    from keras.utils.io_utils import ask_to_proceed_with_overwrite

    path = tmp_path / "text"
    path.write_text("abc")
    md5, sha = "900150983cd24fb0d6963f7d28e17f72", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert _hash_file(str(path), "md5") == md5
    assert _hash_file(str(path)) == sha
    assert validate_file(str(path), md5)
    assert validate_file(str(path), sha, "sha256")
    assert not validate_file(str(path), md5[::-1])
    answers = iter(["what", "Y", "n"])
    monkeypatch.setattr(builtins, "input", lambda text: next(answers))
    assert ask_to_proceed_with_overwrite("x.h5") is True
    assert ask_to_proceed_with_overwrite("x.h5") is False
    pixels = np.arange(2 * 3072).reshape(2, 3072).astype("uint8")
    path.write_bytes(pickle.dumps({b"data": pixels, b"labels": [3, 4]}, protocol=2))
    x, labels = load_batch(str(path))
    assert labels == [3, 4]
    assert np.array_equal(x, pixels.reshape(2, 3, 32, 32))


def test_inputs_behind_a_tensor() -> None:
    from keras.engine.topology import get_source_inputs

    a, b, c = (tk.Input((3,), name=name) for name in "abc")
    hidden = tk.layers.Dense(3)(tk.layers.add([b, a]))
    for _ in range(2000):  # deeper than Python's stack
        hidden = hidden + 1
    assert [x.name for x in get_source_inputs(tk.layers.concatenate([hidden, c, b]))] == [b.name, a.name, c.name]
    assert get_source_inputs(a) == [a]


def test_parameters_of_layers() -> None:
    from keras.utils.layer_utils import count_params, count_total_params, layer_from_config

    model = tk.Sequential([tk.layers.Dense(2, input_dim=3), tk.layers.BatchNormalization()])
    assert count_total_params([*model.layers, *model.layers]) == (8 + 4, 4)
    assert count_params(model.weights) == 16
    assert layer_from_config({"class_name": "Dense", "config": {"units": 4}}).units == 4


# --- keras.layers.recurrent, keras.preprocessing.image, keras.backend ---


def test_a_product_at_each_step() -> None:
    from keras.layers.recurrent import _time_distributed_dense

    x, w, b = random(2, 5, 3), random(3, 4), random(4)
    np.testing.assert_allclose(_time_distributed_dense(x, w, b), x @ w + b, rtol=1e-4, atol=1e-5)
    dropped = np.asarray(
        _time_distributed_dense(np.ones((4, 6, 500), "float32"), np.eye(500), dropout=0.4, training=True)
    )
    assert all(np.array_equal(dropped[:, 0], dropped[:, step]) for step in range(6))
    assert set(np.unique(dropped)) <= {np.float32(0), np.float32(1 / 0.6)}
    assert (dropped == 0).mean() == pytest.approx(0.4, abs=0.05)
    still = _time_distributed_dense(x, w, b, dropout=0.4, training=False)
    np.testing.assert_allclose(still, x @ w + b, rtol=1e-4, atol=1e-5)


def test_matrices_of_images(tmp_path: Path) -> None:
    """Against scipy, which Keras 1 called, at order 0."""
    from keras.preprocessing.image import apply_transform, list_pictures, transform_matrix_offset_center

    ndimage = pytest.importorskip("scipy.ndimage")
    image = random(3, 8, 7)
    angle = np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]])
    matrix = transform_matrix_offset_center(angle, 8, 7)
    there = np.array([[1, 0, 4.5], [0, 1, 4.0], [0, 0, 1]])
    np.testing.assert_allclose(matrix, there @ angle @ np.linalg.inv(there))
    for mode in ("nearest", "constant", "reflect", "wrap"):
        expected = [
            ndimage.affine_transform(c, matrix[:2, :2], matrix[:2, 2], order=0, mode=mode, cval=2) for c in image
        ]
        np.testing.assert_allclose(apply_transform(image, matrix, 0, mode, 2), expected)
    for name in ("a.png", "b.jpeg", "c.txt"):
        (tmp_path / name).write_text("")
    assert sorted(Path(path).name for path in list_pictures(str(tmp_path))) == ["a.png", "b.jpeg"]


def test_functions_of_the_old_backend() -> None:
    from keras import backend as K

    x, kernel = random(2, 4, 5, 3), random(2, 2, 3, 4)
    padded = K.asymmetric_spatial_2d_padding(x, 1, 2, 3, 4)
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (1, 2), (3, 4), (0, 0))))
    first = K.asymmetric_spatial_2d_padding(x, 1, 2, 3, 4, dim_ordering="th")
    np.testing.assert_array_equal(first, np.pad(x, ((0, 0), (0, 0), (1, 2), (3, 4))))
    np.testing.assert_array_equal(K.asymmetric_temporal_padding(x[0], 1, 2), np.pad(x[0], ((0, 0), (1, 2), (0, 0))))
    gaps = K.atrous_conv2d(x, kernel, 2, "same", "tf")
    layer = tk.layers.Conv2D(4, 2, dilation_rate=2, padding="same", use_bias=False, weights=[kernel])
    np.testing.assert_allclose(gaps, layer(x).detach(), rtol=1e-4, atol=1e-5)
    up = tk.layers.Conv2DTranspose(3, 2, strides=2, use_bias=False, weights=[kernel])
    y = random(2, 4, 5, 4)
    turned = kernel.transpose(0, 1, 3, 2)  # that of a convolution, as in 1.2.2
    np.testing.assert_allclose(K.deconv2d(y, turned, (2, 8, 10, 3), (2, 2)), up(y).detach(), rtol=1e-4, atol=1e-5)
    assert K.lesser([1.0, 3.0], 2.0).tolist() == [True, False]
    assert K.lesser_equal([2.0, 3.0], 2.0).tolist() == [True, False]
    from keras.optimizers import clip_norm

    for norm in (0.5, 5.0):
        got = clip_norm(torch.tensor([3.0, 4.0]), 1.0, torch.tensor(norm))
        assert got.tolist() == pytest.approx([3 / max(norm, 1), 4 / max(norm, 1)])


# --- base classes that users derive from ---


def test_a_pooling_of_ones_own() -> None:
    from keras import backend as K
    from keras.layers.pooling import _GlobalPooling2D, _Pooling1D, _Pooling2D

    def smallest(self: Any, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str) -> Any:
        return -K.pool2d(-inputs, pool_size, strides, padding, data_format, pool_mode="max")

    class MinPooling2D(_Pooling2D):
        _pooling_function = smallest

    class MinPooling1D(_Pooling1D):
        _pooling_function = smallest

    class GlobalMinPooling2D(_GlobalPooling2D):
        def call(self, inputs: Any) -> Any:
            return K.min(inputs, axis=[1, 2])

    x = random(2, 6, 4, 3)
    model = tk.Sequential([MinPooling2D((2, 2), input_shape=(6, 4, 3)), GlobalMinPooling2D()])
    assert model.layers[0].output_shape == (None, 3, 2, 3)
    np.testing.assert_allclose(model.predict(x, verbose=0), x.min((1, 2)))
    np.testing.assert_allclose(MinPooling2D()(x), x.reshape(2, 3, 2, 2, 2, 3).min((2, 4)))
    assert MinPooling1D(3)(x[:, :, 0]).shape == (2, 2, 3)
    assert MinPooling2D.from_config(model.layers[0].get_config()).pool_size == (2, 2)


def test_a_convolution_and_a_merge_of_ones_own() -> None:
    from keras import backend as K
    from keras.layers.convolutional import _Conv
    from keras.layers.merge import _Merge

    class Conv(_Conv):
        def __init__(self, filters: int, kernel_size: Any, **kwargs: Any) -> None:
            super().__init__(rank=2, filters=filters, kernel_size=kernel_size, **kwargs)

    class Difference(_Merge):
        def _merge_function(self, inputs: Any) -> Any:
            return K.abs(inputs[0] - inputs[1])

    a, b = tk.Input((4, 4, 3)), tk.Input((4, 4, 3))
    conv = Conv(2, 3, padding="same", activation="relu")
    model = tk.Model([a, b], conv(Difference()([a, b])))
    plain = tk.layers.Conv2D(2, 3, padding="same", activation="relu", weights=model.get_weights())
    x, y = random(2, 4, 4, 3), random(2, 4, 4, 3)[::-1].copy()
    np.testing.assert_allclose(model.predict([x, y], verbose=0), plain(np.abs(x - y)).detach(), rtol=1e-4, atol=1e-5)
    config = conv.get_config()
    assert config.pop("rank") == 2  # which layers of users take out, as those of Keras do
    assert Conv.from_config(config).filters == 2


# --- keras.legacy.interfaces ---


def test_decorators_of_layers() -> None:
    from keras.legacy import interfaces

    class MyDense(tk.layers.Dense):
        @interfaces.legacy_dense_support
        def __init__(self, units: int, activation: Any = None, **kwargs: Any) -> None:
            super().__init__(units, activation, **kwargs)

        @interfaces.legacy_add_weight_support
        def add_weight(self, name: str, shape: Any, **kwargs: Any) -> Any:
            return super().add_weight(name=name, shape=shape, **kwargs)

    class MyConv(tk.layers.Conv2D):
        @interfaces.legacy_conv2d_support
        def __init__(self, filters: int, kernel_size: Any, **kwargs: Any) -> None:
            super().__init__(filters, kernel_size, **kwargs)

    with pytest.warns(KerasSpellingWarning):
        layer = MyDense(output_dim=3, init="zeros", bias=False)
    assert (layer.units, layer.use_bias) == (3, False)
    assert layer.add_weight((2, 3), "W", initializer="ones").shape == (2, 3)
    with pytest.warns(KerasSpellingWarning):
        conv = MyConv(8, 3, 2, border_mode="same")
    assert (conv.kernel_size, conv.padding) == ((3, 2), "same")
    with pytest.raises(TypeError, match="one argument"):
        MyDense(units=3, output_dim=4)


def test_decorators_of_methods() -> None:
    from keras.legacy import interfaces

    class Mine(tk.optimizers.Optimizer):
        seen: Any = None

        @interfaces.legacy_get_updates_support
        def get_updates(self, loss: Any, params: Any) -> Any:
            return loss, params

    optimizer = Mine()
    for given in ((("w",), {}, "loss"), ("loss", ("w",))):
        assert optimizer.get_updates(*given) == ("loss", ("w",))
    assert optimizer.get_updates(("w",), {}, loss="loss") == ("loss", ("w",))

    class Model(tk.Sequential):
        @interfaces.legacy_generator_methods_support
        def fit_generator(self, generator: Any, steps_per_epoch: Any = None, epochs: int = 1, **kwargs: Any) -> Any:
            return steps_per_epoch, epochs, kwargs

    with pytest.warns(KerasSpellingWarning):
        steps, epochs, others = Model().fit_generator(None, samples_per_epoch=60, nb_epoch=2, nb_worker=3)
    assert (epochs, others) == (2, {"workers": 3})
    assert steps.count == 60
    with pytest.raises(TypeError, match="p and rate are one argument"):
        interfaces.raise_duplicate_arg_error("p", "rate")


def test_a_decorator_of_ones_own() -> None:
    from keras.legacy.interfaces import generate_legacy_interface, generate_legacy_method_interface

    def shape_first(args: Any, kwargs: Any) -> Any:
        return (args[0],), {**kwargs, "shape": args[1]}, []

    class Scale:
        @generate_legacy_interface(["by"], [("factor", "by")], value_conversions={"mode": {"a": 1}})
        def __init__(self, by: float, mode: Any = 0) -> None:
            self.by, self.mode = by, mode

        @generate_legacy_method_interface(preprocessor=shape_first)
        def add(self, shape: Any) -> Any:
            return shape

    with pytest.warns(KerasSpellingWarning, match=r"Scale\(factor=…\)"):
        made = Scale(factor=3, mode="a")
    assert (made.by, made.mode) == (3, 1)
    assert made.add((2, 3)) == (2, 3)
    for wrong in (lambda: Scale(1, 2), lambda: Scale(1, factor=2, by=3)):
        with pytest.raises(TypeError):
            wrong()
