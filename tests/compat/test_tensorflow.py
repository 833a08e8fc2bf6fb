"""Names beside `tensorflow.keras`: the numbers of TensorFlow 2.15, data sets that feed `fit`, and what is refused."""

from __future__ import annotations

import functools
import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat.compat import tensorflow_names
from torchkeras_compat.compat.names import TENSORFLOW_PARTS

from .tensorflow_cases import CALLS, A, B, run

VALUES = np.load(Path(__file__).parent / "tensorflow_values.npz")


def test_the_numbers_and_types_of_tensorflow() -> None:
    import tensorflow as tf

    different = []
    for i, (call, arrays) in enumerate(zip(CALLS, run(tf))):
        expected = [VALUES[name] for name in VALUES.files if name.split(".")[0] == str(i)]
        same = len(arrays) == len(expected) and all(
            a.shape == e.shape and a.dtype == e.dtype and _close(a, e) for a, e in zip(arrays, expected)
        )  # float32, in another order of summation
        different += [] if same else [call]
    assert len(CALLS) > 180
    assert different == []


def test_what_they_return_has_the_manners_of_tensorflow() -> None:
    import tensorflow as tf

    model = tk.Sequential([tk.layers.Dense(2, input_shape=(3,))])
    y = model(tf.ones((2, 3)))
    assert y.numpy().shape == np.array(y).shape == (2, 2)
    assert tf.nn.softmax(y)[0].numpy().shape == (2,)
    scores = tf.nn.softmax(model.predict(np.ones((1, 3)), verbose=0)[0])
    assert 0 < np.max(scores) <= 1
    assert np.squeeze(tf.zeros((1, 2))).shape == (2,)
    for name in ("min", "max", "sum", "mean", "std", "prod", "any"):
        function = getattr(np, name)
        assert function(tf.constant([1.0, 2.0, 3.0])) == pytest.approx(function(np.array([1.0, 2.0, 3.0])))
    assert (np.ones(3) * tf.constant([1.0, 2.0, 3.0], tf.float64)).numpy().tolist() == [1, 2, 3]
    assert (np.ones(3, "float32") > tf.constant([1.0, 0.0, 3.0])).numpy().tolist() == [False, True, False]
    assert tk.layers.Embedding(10, 5)(tf.constant([1, 2, 3])).numpy().shape == (3, 5)


def test_one_value_is_a_number_of_numpy() -> None:  # as in TensorFlow 2.15.1
    import tensorflow as tf

    place = tf.argmax([1.0, 3.0]).numpy()
    assert isinstance(place, np.int64)
    assert {0: "no", 1: "yes"}[place] == "yes"
    assert isinstance(tf.Variable(2.0).numpy(), np.float32)
    assert isinstance(tk.backend.mean(tk.backend.constant([1.0])).numpy(), np.float32)
    assert np.asarray(tf.constant(2.0)).shape == ()
    assert isinstance(tf.constant([2.0]).numpy(), np.ndarray)


def test_slices_of_variables_are_assigned_to() -> None:  # numbers of TensorFlow 2.15.1
    import tensorflow as tf

    v = tf.Variable(np.zeros((2, 3), "float32"))
    v[0, 1].assign(42.0)
    v[:, 2].assign([0.0, 1.0])
    v.scatter_nd_update(indices=[[0, 0], [1, 2]], updates=[100.0, 200.0])
    v[0, 1:].assign_add([1.0, 1.0])
    v[1][0].assign_sub(5.0)
    assert v.numpy().tolist() == [[100, 43, 1], [-5, 0, 200]]
    assert float(tf.constant([[2.5]])) == 2.5
    assert (v[0, 1:] * 2).numpy().tolist() == [86, 2]


def test_variables_that_do_not_train() -> None:  # in lists and layers of users, as in TensorFlow 2.15.1
    import tensorflow as tf

    class Scaled(tf.keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fixed = tf.Variable(3.0, trainable=False)
            self.learned = tf.Variable(2.0)
            self.listed = [tf.Variable(4.0, trainable=False)]

        def call(self, x: Any) -> Any:
            return x * self.fixed * self.learned * self.listed[0]

    layer = Scaled()
    model = tf.keras.Sequential([layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1), "float32"), np.zeros((4, 1), "float32"), verbose=0)
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (1, 2)
    assert not layer.fixed.trainable
    assert (float(layer.fixed), float(layer.listed[0])) == (3.0, 4.0)
    assert float(layer.learned) != 2.0


def test_initializers_by_their_names_in_tensorflow() -> None:
    import tensorflow as tf

    assert tf.zeros_initializer()(shape=(2,)).numpy().tolist() == [0, 0]
    assert tf.ones_initializer()(shape=(2,), dtype="float32").numpy().tolist() == [1, 1]
    assert tf.constant_initializer(3.0)((2,)).numpy().tolist() == [3, 3]
    values = tf.random_normal_initializer(mean=5.0, stddev=0.1)((1000,)).numpy()
    assert values.mean() == pytest.approx(5, abs=0.05)
    assert abs(tf.random_uniform_initializer(-0.5, 0.5)((1000,)).numpy()).max() <= 0.5
    assert tf.add_n([tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])]).numpy().tolist() == [4, 6]


def _close(a: np.ndarray[Any, Any], e: np.ndarray[Any, Any]) -> bool:
    return np.array_equal(a, e) if a.dtype.kind in "SU" else np.allclose(a, e, rtol=1e-5, atol=1e-6)


def test_every_part_is_a_module() -> None:
    import tensorflow as tf

    assert set(tensorflow_names.NAMES) == {"", *TENSORFLOW_PARTS}
    for version in ("", "compat.v1.", "compat.v2."):
        for part, names in tensorflow_names.NAMES.items():
            if part == "compat":
                continue
            module = importlib.import_module(f"tensorflow.{version}{part}".rstrip("."))
            own = tensorflow_names.VERSION_1.get(part, {}) if version == "compat.v1." else {}
            for name, value in {**names, **own}.items():
                here = getattr(module, name)
                assert name == "math" or here is value or here.__wrapped__ is value
    for name in ("optimizers", "losses", "metrics", "initializers", "regularizers", "constraints", "activations"):
        assert getattr(tf, name) is getattr(tf.keras, name)
        assert getattr(tf.compat.v1, name) is getattr(tf.keras, name)
    from tensorflow import newaxis, set_random_seed  # noqa: F401
    from tensorflow.compat.v1.keras.models import Sequential
    from tensorflow.data import Dataset  # noqa: F401

    assert Sequential is not None
    assert newaxis is None


def test_symbolic_tensors() -> None:
    import tensorflow as tf

    inner = tk.Sequential([tk.layers.Dense(4, input_dim=3)])
    x = np.random.random((5, 3)).astype("float32")
    for output in (
        tf.reduce_mean(tf.square(inner.output), axis=-1, keepdims=True),
        tf.concat([inner.output, tf.nn.relu(inner.output)], axis=-1),
        tf.where(inner.output > 0, inner.output, 0.0),
        tf.cast(inner.output, tf.float64),
    ):
        symbolic, values = output.shape, tk.backend.function([inner.input], [output])([x])[0]
        assert symbolic[0] is None
        assert values.shape == (5, *symbolic[1:])
    np.testing.assert_allclose(
        tk.backend.function([inner.input], [tf.reduce_sum(inner.output, 1)])([x])[0], inner.predict(x).sum(1), rtol=1e-5
    )


def test_losses_metrics_layers_and_gradients_of_tensorflow_functions() -> None:
    import tensorflow as tf

    class Scaled(tf.keras.layers.Layer):
        @tf.function
        def call(self, inputs: Any) -> Any:
            return inputs * tf.ones((tf.shape(inputs)[0], 1)) + tf.constant(1.0)

    @tf.function(jit_compile=True)
    def loss(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.square(tf.cast(y_true, tf.float32) - y_pred), axis=-1)

    def metric(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.abs(y_true - y_pred))

    x, y = np.random.random((32, 3)), np.random.random((32, 2))
    histories = []
    for chosen, shown in ((loss, metric), ("mse", "mae")):
        tk.utils.set_random_seed(1)
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_dim=3), Scaled()])
        model.compile(tf.optimizers.SGD(0.1), chosen, metrics=[shown])
        histories.append(model.fit(x, y, epochs=3, verbose=0, shuffle=False).history)
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)
    np.testing.assert_allclose(histories[0]["metric"], histories[1]["mae"], rtol=1e-5)


@pytest.mark.parametrize(
    "seed", ["tf.random.set_seed", "tf.set_random_seed", "tf.compat.v1.set_random_seed", "tf.compat.v1.random.set_seed"]
)
def test_seeds(seed: str) -> None:
    import tensorflow as tf

    kernels = []
    for _ in range(2):
        eval(seed, {"tf": tf})(3)
        kernels.append(tf.keras.Sequential([tf.keras.layers.Dense(4, input_dim=3)]).get_weights()[0])
    np.testing.assert_array_equal(*kernels)
    tf.random.set_seed(1)
    drawn = tf.random.normal((2000,), 1.0, 2.0), tf.random.uniform([2000], 2, 5, dtype=tf.int32)
    assert abs(drawn[0].mean().item() - 1) < 0.3
    assert sorted(drawn[1].unique().tolist()) == [2, 3, 4]
    assert tf.random.truncated_normal((50,)).abs().max() <= 2
    assert sorted(tf.random.shuffle(np.arange(9)).tolist()) == list(range(9))


def test_devices_logging_and_switches(caplog: pytest.LogCaptureFixture) -> None:
    import tensorflow as tf

    cpus = tf.config.list_physical_devices("CPU")
    assert [d.device_type for d in cpus] == ["CPU"]
    gpus = tf.config.experimental.list_physical_devices("GPU")
    assert len(gpus) == torch.cuda.device_count()
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    assert tf.test.is_gpu_available() is torch.cuda.is_available()
    tf.config.set_visible_devices([], "GPU")
    with tf.device("/CPU:0"):
        assert tf.keras.layers.Dense(1)(np.ones((1, 1))).device.type == "cpu"
    with pytest.raises(ValueError, match=r"tf\.device\(name='/TPU:0'\)"), tf.device("/TPU:0"):
        pass
    tf.get_logger().setLevel("ERROR")
    tf.logging.set_verbosity(tf.logging.WARN)
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    assert tf.get_logger().level == logging.ERROR
    assert tf.executing_eagerly()
    assert tf.compat.v1.disable_eager_execution() is None
    assert tf.is_tensor(tf.constant(1)) and not tf.is_tensor(1)  # noqa: PT018
    assert tf.float32 == torch.float32 == tf.constant(1.0).dtype
    variable = tf.Variable([1.0, 2.0], name="v")
    variable.assign([3.0, 4.0])
    assert tk.backend.is_variable(variable)
    assert variable.numpy().tolist() == [3, 4]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("get_variable", r"write layer\.add_weight"),
        ("compat.v1.train.Saver", r"write keras\.optimizers"),
        ("train.SyncReplicasOptimizer", r"write keras\.optimizers"),
        ("distribute.experimental.ParameterServerStrategy", "DistributedDataParallel"),
        ("nn.ctc_loss", r"write K\.ctc_batch_cost"),
        ("math.betainc", "write the call in torch"),
        ("nn.hardtanh", r"write torch\.nn\.functional\.hardtanh"),
        ("vander", r"write torch\.vander"),
        ("layers.dense", r"write keras\.layers"),
        ("data.NumpyIterator", "write the call in torch"),
    ],
)
def test_what_is_refused_names_what_to_write(name: str, text: str) -> None:
    import tensorflow as tf

    with pytest.raises(AttributeError, match=text):
        eval(f"tf.{name}", {"tf": tf})
    assert not hasattr(tf, "__wrapped__")
    with pytest.raises(ImportError, match=r"write keras\.optimizers"):
        from tensorflow.train import SyncReplicasOptimizer  # noqa: F401
    with pytest.raises(TypeError, match=r"tf\.square\(y=…\): it takes x"):
        tf.square(A, y=B)
    with pytest.raises(TypeError, match=r"tf\.matmul: b missing; it takes a, b"):
        tf.matmul(A)
    with pytest.raises(TypeError, match="square: it takes numbers; got StringTensor"):
        tf.square("text")


# --- data sets ---------------------------------------------------------------------------------------------------

X, Y = np.arange(12, dtype="float32").reshape(6, 2), np.arange(6)


def rows(dataset: Any) -> list[Any]:
    return [np.asarray(x).tolist() for x, *_ in dataset]


def test_data_sets() -> None:
    """What TensorFlow 2.15 gives for the same calls."""
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((X, Y))
    assert len(data) == 6
    assert [tuple(x.shape) for x, y in data.batch(4)] == [(4, 2), (2, 2)]
    assert [len(d) for d in (data.batch(4), data.batch(4, drop_remainder=True), data.repeat(2), data.take(4))] == [
        2,
        1,
        12,
        4,
    ]
    assert [int(d.cardinality()) for d in (data.repeat(), data.filter(lambda x, y: True))] == [-1, -2]
    assert rows(data.map(lambda x, y: (x * 2, y)).skip(4)) == [[16, 18], [20, 22]]
    assert rows(data.repeat().skip(7).take(1)) == [[2, 3]]
    assert sorted(rows(data.shuffle(3))) == sorted(rows(data))
    assert rows(data.shuffle(6, seed=1)) == rows(data.shuffle(6, seed=1)) != rows(data)
    shuffled = data.shuffle(6, seed=1, reshuffle_each_iteration=False)
    assert rows(shuffled) == rows(shuffled)
    again = data.shuffle(6, seed=1)
    assert rows(again) != rows(again)
    first = [int(y) for _, y in tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(2)]
    assert all(abs(place - y) <= 6 and y <= place + 1 for place, y in enumerate(first))  # the buffer holds two
    assert [x.tolist() for x in tf.data.Dataset.range(4).batch(2)] == [[0, 1], [2, 3]]
    assert [int(x) for x in tf.data.Dataset.range(3).concatenate(tf.data.Dataset.range(2))] == [0, 1, 2, 0, 1]
    pairs = tf.data.Dataset.zip((tf.data.Dataset.range(3), tf.data.Dataset.range(5)))
    assert [(int(a), int(b)) for a, b in pairs] == [(0, 0), (1, 1), (2, 2)]
    assert [int(i) for i, _ in data.enumerate()] == list(range(6))
    assert [int(y) for _, y in data.batch(4).unbatch()] == list(range(6))
    assert [int(y) for _, y in data.filter(lambda x, y: y > 3)] == [4, 5]
    assert next(iter(tf.data.Dataset.from_tensor_slices({"a": X}).batch(2)))["a"].shape == (2, 2)
    assert next(iter(data.as_numpy_iterator()))[0].tolist() == [0, 1]
    calls = []

    def source() -> Any:
        calls.append(1)
        yield from zip(X, Y)

    made = tf.data.Dataset.from_generator(source, output_types=(tf.float32, tf.int64)).cache()
    assert len(rows(made)) == len(rows(made)) == 6
    assert len(calls) == 1
    with pytest.raises(TypeError):
        len(data.repeat())
    with pytest.raises(AttributeError, match=r"tf\.data\.Dataset has no 'sparse_batch' here, only: "):
        data.sparse_batch(None)
    with pytest.raises(ValueError, match=r"as many rows; got \[5, 6\]"):
        tf.data.Dataset.from_tensor_slices((X, Y[:5]))


def model_of(tf: Any) -> Any:
    tk.utils.set_random_seed(2)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    return model


def test_data_sets_train_as_arrays_do() -> None:
    import tensorflow as tf

    x, y = np.random.random((20, 2)), np.random.random((20, 1))
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4).prefetch(tf.data.AUTOTUNE)
    expected = model_of(tf).fit(x, y, batch_size=4, shuffle=False, epochs=2, verbose=0, validation_data=(x, y))
    model = model_of(tf)
    history = model.fit(data, epochs=2, verbose=0, validation_data=data)
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(data, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(model.predict(data, verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    model = model_of(tf)
    endless = model.fit(data.repeat(), steps_per_epoch=5, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(endless, expected.history["loss"], rtol=1e-5)


def test_short_epochs_go_on_where_the_one_before_ended() -> None:
    import tensorflow as tf

    seen = []

    def look(x: Any, y: Any) -> Any:
        seen.append(int(y[0]))
        return x, y

    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(1).map(look)
    model_of(tf).fit(data.repeat(), steps_per_epoch=4, epochs=3, verbose=0)
    assert seen[:12] == [0, 1, 2, 3, 4, 5] * 2
    with pytest.warns(UserWarning, match="the data ended after 2 of 4 steps of epoch 2"):
        model_of(tf).fit(data, steps_per_epoch=4, epochs=3, verbose=0)


def test_data_sets_from_folders_stand_where_tf_keras_has_them() -> None:
    from tensorflow import keras
    from tensorflow.keras.preprocessing.image import image_dataset_from_directory
    from tensorflow.keras.preprocessing.text import text_dataset_from_directory
    from tensorflow.keras.preprocessing.timeseries import timeseries_dataset_from_array

    for function in (image_dataset_from_directory, text_dataset_from_directory, timeseries_dataset_from_array):
        assert getattr(keras.utils, function.__name__) is function
        assert getattr(keras.preprocessing, function.__name__) is function


ACTIVATIONS = "nn.relu nn.softmax nn.elu nn.selu nn.relu6 nn.softplus nn.swish nn.tanh sigmoid".split()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_of_tensorflow_are_saved_as_activations(name: str) -> None:
    import tensorflow as tf

    function = functools.reduce(getattr, name.split("."), tf)
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation=function, input_shape=(2,))])
    assert model.layers[0].get_config()["activation"] == name.rpartition(".")[2]  # as Keras 2.15 writes it
    again = tf.keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.linspace(-9, 9, 8).reshape(4, 2)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_no_gradient_is_of_indexed_slices() -> None:
    """An optimizer as the guide of Keras writes it asks each gradient."""
    import tensorflow as tf

    seen = []

    class Momentum(tk.optimizers.Optimizer):  # type: ignore[misc]
        def __init__(self, learning_rate: Any = 0.1, name: str = "Momentum") -> None:
            super().__init__(name)
            self._learning_rate = self._build_learning_rate(learning_rate)

        def update_step(self, gradient: Any, variable: Any) -> None:
            seen.append(isinstance(gradient, tf.IndexedSlices))
            variable.assign_sub(gradient * self.learning_rate)

    model = tk.Sequential([tk.layers.Embedding(5, 2, input_length=3), tk.layers.Flatten(), tk.layers.Dense(1)])
    model.compile(Momentum(), "mse")
    model.train_on_batch(np.array([[0, 1, 1]]), np.array([[1.0]]))
    assert seen == [False] * 3
    with pytest.raises(NotImplementedError, match="dense"):
        tf.IndexedSlices(torch.ones(1, 2), torch.tensor([0]))


def test_functions_of_strings() -> None:
    """The values are those of TensorFlow 2.15.1."""
    import tensorflow as tf

    words = tf.constant(["b", "a", "b"])
    assert words.dtype == tf.string
    assert tf.strings.lower(words).dtype == tf.string
    assert tf.zeros_like(words).numpy().tolist() == [b"", b"", b""]
    assert tf.cast(words, tf.string).numpy().tolist() == [b"b", b"a", b"b"]
    different, places = tf.unique(words)
    assert different.numpy().tolist() == [b"b", b"a"]
    assert places.numpy().tolist() == [0, 1, 0]
    assert tf.where([True, False, True], words, "q").numpy().tolist() == [b"b", b"q", b"b"]
    assert tf.boolean_mask(words, [True, False, False]).numpy().tolist() == [b"b"]
    columns = next(iter(tf.data.Dataset.from_tensor_slices({"a": ["x"], "b": [1.0]}).batch(1)))
    assert {name: column.dtype == tf.string for name, column in columns.items()} == {"a": True, "b": False}


def test_types_with_the_attributes_of_tensorflow() -> None:
    """The values are those of TensorFlow 2.15.1."""
    import tensorflow as tf

    kind = tf.as_dtype(tf.constant([1.0]).dtype)
    assert (kind.name, kind.is_floating, kind.size, kind.as_numpy_dtype) == ("float32", True, 4, np.float32)
    assert kind == tf.float32
    assert tf.cast([1, 2], kind).dtype == tf.float32
    assert tf.as_dtype("int32").max == 2147483647
    assert tf.dtypes.as_dtype(np.uint8).min == 0
    assert tf.as_dtype(tf.string) == tf.string
