"""Tables, random numbers, files and modules of `tensorflow`; values and errors as TensorFlow 2.15.1 has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat as tk


def test_tables_of_files_and_of_two_values(tmp_path: Path) -> None:
    import tensorflow as tf

    file = tmp_path / "words.txt"
    file.write_text("red\t7\ngreen\t9\n", encoding="utf-8")
    index = tf.lookup.TextFileIndex
    numbers = tf.lookup.TextFileInitializer(str(file), tf.string, 0, tf.int64, index.LINE_NUMBER)
    columns = tf.lookup.TextFileInitializer(str(file), tf.string, 0, tf.int64, 1)
    assert tf.lookup.StaticHashTable(numbers, -1).lookup(["green", "blue"]).numpy().tolist() == [1, -1]
    table = tf.lookup.StaticHashTable(columns, -1)
    assert table[tf.constant("red")].numpy() == 7
    assert (int(table.size()), table.key_dtype, table.value_dtype) == (2, tf.string, tf.int64)
    lines = tf.lookup.TextFileInitializer(str(file), tf.int64, index.LINE_NUMBER, tf.string, index.WHOLE_LINE)
    words = tf.lookup.StaticHashTable(lines, "none")
    assert words.lookup(tf.constant([1, 5], tf.int64)).numpy().tolist() == [b"green\t9", b"none"]
    with pytest.raises(ValueError, match="two values"):
        tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0)
    data = tf.data.Dataset.from_tensor_slices(["red", "green"]).map(table.lookup)
    assert [int(value) for value in data] == [7, 9]


def test_distributions() -> None:
    import tensorflow as tf

    tf.random.set_seed(3)
    drawn = tf.random.gamma([4000], alpha=[1.0, 4.0], beta=2.0).numpy()
    np.testing.assert_allclose(drawn.mean(0), [0.5, 2.0], rtol=0.1)
    np.testing.assert_allclose(drawn.var(0), [0.25, 1.0], rtol=0.2)
    assert tf.random.poisson((4000,), [2.0, 5.0]).numpy().mean(0) == pytest.approx([2, 5], rel=0.1)
    assert tf.random.poisson((3,), 2.0, dtype=tf.int32).dtype == tf.int32
    pairs = [tf.random.stateless_uniform([50], seed=(1, n), minval=2.0, maxval=3.0).numpy() for n in (2, 2, 3)]
    assert (pairs[0] == pairs[1]).all() and (pairs[0] != pairs[2]).any()  # noqa: PT018
    assert (pairs[0] >= 2).all() and (pairs[0] < 3).all()  # noqa: PT018
    normal = tf.random.stateless_normal([4000], seed=[5, 6], mean=1.0, stddev=2.0).numpy()
    assert (normal.mean(), normal.std()) == (pytest.approx(1, abs=0.2), pytest.approx(2, abs=0.2))
    whole = tf.random.Generator.from_seed(1).uniform([500], 2, 5, dtype=tf.int32).numpy()
    assert sorted(set(whole.tolist())) == [2, 3, 4]
    assert tf.random.get_global_generator().normal([2, 3]).shape.as_list() == [2, 3]
    with pytest.raises(ValueError, match="two integers"):
        tf.random.stateless_normal([2], seed=3)


def test_classes_drawn_by_the_law_of_zipf() -> None:
    import tensorflow as tf

    true = tf.constant([[3]], tf.int64)
    sampled, of_true, of_sampled = tf.random.log_uniform_candidate_sampler(true, 1, 2000, False, 20, seed=1)
    chances = np.log((np.arange(20) + 2) / (np.arange(20) + 1)) / np.log(21)
    np.testing.assert_allclose(np.bincount(sampled.numpy(), minlength=20) / 2000, chances, atol=0.03)
    np.testing.assert_allclose(of_true.numpy(), 2000 * chances[[[3]]], rtol=1e-5)
    np.testing.assert_allclose(of_sampled.numpy(), 2000 * chances[sampled.numpy()], rtol=1e-5)
    distinct = tf.random.log_uniform_candidate_sampler(true, num_true=1, num_sampled=8, unique=True, range_max=20)[0]
    assert len(set(distinct.numpy().tolist())) == 8
    with pytest.raises(ValueError, match="range_max=20"):
        tf.random.log_uniform_candidate_sampler(true, 1, 21, True, 20)


def test_files_and_folders(tmp_path: Path) -> None:
    import tensorflow as tf

    files, folder = tf.io.gfile, tmp_path / "a" / "b"
    files.makedirs(str(folder))
    files.makedirs(str(folder))
    with files.GFile(str(folder / "x.txt"), "w") as file:
        file.write("é")
    with files.GFile(files.join(str(folder), "x.txt"), "rb") as file:
        assert file.read() == "é".encode()
    assert files.exists(str(folder)) and files.isdir(str(folder)) and files.listdir(str(tmp_path)) == ["a"]  # noqa: PT018
    files.copy(str(folder / "x.txt"), str(folder / "y.txt"))
    with pytest.raises(FileExistsError, match="overwrite"):
        files.copy(str(folder / "x.txt"), str(folder / "y.txt"))
    assert [Path(p).name for p in files.glob(str(folder / "*.txt"))] == ["x.txt", "y.txt"]
    files.rename(str(folder / "y.txt"), str(folder / "x.txt"), overwrite=True)
    assert files.stat(str(folder / "x.txt")).length == 2
    assert [names for *_, names in files.walk(str(tmp_path))] == [[], [], ["x.txt"]]
    assert tf.gfile.Exists(str(folder / "x.txt"))
    tf.gfile.DeleteRecursively(str(tmp_path / "a"))
    assert not files.exists(str(folder))
    with pytest.raises(FileNotFoundError):
        files.GFile(str(folder / "x.txt")).read()
    with pytest.raises(ValueError, match="no file of this machine"):
        files.exists("gs://bucket/x")


def test_modules_know_their_variables() -> None:
    import tensorflow as tf

    class Dense(tf.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.w = tf.Variable(tf.ones([inputs, outputs]), name="w")
            self.b = tf.Variable(tf.zeros([outputs]), name="b", trainable=False)

        @tf.Module.with_name_scope
        def __call__(self, x: object) -> object:
            return tf.nn.relu(tf.matmul(x, self.w) + self.b)

    class TwoLayers(tf.Module):
        def __init__(self) -> None:
            super().__init__(name="two")
            self.layers = [Dense(3, 2), {"last": Dense(2, 1)}]
            self.keras = tf.keras.layers.Dense(2, input_shape=(1,))
            self.keras.build((None, 1))

        def __call__(self, x: object) -> object:
            return self.layers[1]["last"](self.layers[0](x))  # type: ignore[index, operator]

    module = TwoLayers()
    assert module(tf.ones([2, 3])).numpy().tolist() == [[6], [6]]  # type: ignore[attr-defined]
    assert (module.name, Dense(1, 1).name) == ("two", "dense")
    assert [tuple(v.shape) for v in module.trainable_variables] == [(1, 2), (2,), (3, 2), (2, 1)]
    assert [tuple(v.shape) for v in module.non_trainable_variables] == [(2,), (1,)]
    assert len(module.submodules) == 3
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(module(tf.ones([2, 3])))
    gradients = tape.gradient(loss, module.trainable_variables)
    assert gradients[2].numpy().tolist() == [[2, 2]] * 3


def test_options_of_data_sets_change_no_data() -> None:
    import tensorflow as tf

    options = tf.data.Options()
    options.experimental_deterministic = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    assert [int(i) for i in tf.data.Dataset.range(3).with_options(options)] == [0, 1, 2]


def test_pooling_over_channels_that_windows_share() -> None:
    import tensorflow as tf

    with pytest.raises(ValueError, match="divides the channels"):
        tf.nn.max_pool(np.zeros((1, 2, 2, 6), "float32"), (1, 1, 1, 4), (1, 1, 1, 4), "VALID")
    x = tf.keras.Input((4, 4, 6))
    deep = tf.keras.layers.Lambda(lambda t: tf.nn.max_pool(t, (1, 1, 1, 2), (1, 1, 1, 2), "VALID"))(x)
    assert tk.Model(x, deep).output_shape == (None, 4, 4, 3)


def test_moving_averages_of_variables() -> None:
    import tensorflow as tf

    v, w = tf.Variable(0.0, name="v"), tf.Variable([1.0, 2.0])
    averages = tf.train.ExponentialMovingAverage(0.9)
    assert averages.average(v) is None
    averages.apply([v, w])
    v.assign(10.0)
    averages.apply([v, w])
    assert float(averages.average(v)) == pytest.approx(1.0)
    assert averages.average(w).numpy().tolist() == [1, 2]
    assert averages.average_name(v) == "v/ExponentialMovingAverage"
    counted = tf.train.ExponentialMovingAverage(0.9, num_updates=3)
    counted.apply([v])
    v.assign(11.0)
    counted.apply([v])
    assert float(counted.average(v)) == pytest.approx(10.6923077)
    with pytest.raises(TypeError, match="a list of variables"):
        averages.apply([tf.constant(1.0)])


def test_the_average_of_a_models_weights() -> None:
    import tensorflow as tf

    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,), kernel_initializer="zeros")])
    averages = tf.train.ExponentialMovingAverage(0.5)
    averages.apply(model.trainable_variables)
    model.layers[0].kernel.assign(np.ones((3, 2)))
    averages.apply(model.trainable_variables)
    np.testing.assert_allclose(averages.average(model.layers[0].kernel), np.full((3, 2), 0.5))
