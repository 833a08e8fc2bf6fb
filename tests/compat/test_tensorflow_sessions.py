"""Sessions, their configurations and graphs of TensorFlow 1, as scripts have them before and around their models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import torchkeras_compat as ours
from torchkeras_compat import compat
from torchkeras_compat._core.settings import default_device

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture(autouse=True)
def facades() -> Iterator[None]:
    threads = torch.get_num_threads()
    compat.install()
    yield
    compat.uninstall()
    torch.set_num_threads(threads)
    ours.set_device(None)
    ours.backend.set_session(None)


def test_memory_that_grows() -> None:
    import tensorflow as tf
    from keras.backend.tensorflow_backend import set_session

    config = tf.ConfigProto()
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = 0.3
    set_session(tf.Session(config=config))
    other = tf.ConfigProto(allow_soft_placement=True, gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=0.5))
    assert not other.gpu_options.allow_growth
    tf.compat.v1.keras.backend.set_session(tf.compat.v1.Session(config=other))


def test_repeatable_runs_of_the_faq() -> None:
    import keras.backend as K
    import tensorflow as tf

    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    tf.set_random_seed(1234)
    session = tf.Session(graph=tf.get_default_graph(), config=config)
    K.set_session(session)
    assert K.get_session() is session
    assert torch.get_num_threads() == 1


def test_no_gpus_or_a_part_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    fractions: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", fractions.append)
    ours.set_device(None)
    assert default_device().type == "cuda"
    tf.Session(config=tf.ConfigProto(device_count={"GPU": 0, "CPU": 4}))
    assert default_device().type == "cpu"
    assert not fractions
    tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=0.25)))
    assert fractions == [0.25]


def test_what_a_configuration_cannot_say() -> None:
    import tensorflow as tf

    with pytest.raises(AttributeError, match="did you mean 'gpu_options'"):
        tf.ConfigProto(gpu_option=None)
    with pytest.raises(AttributeError, match="did you mean 'allow_growth'"):
        tf.ConfigProto().gpu_options.alow_growth = True
    with pytest.raises(ValueError, match="one GPU"):
        tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(visible_device_list="0,1")))
    with pytest.raises(ValueError, match="no servers"):
        tf.Session("grpc://localhost:2222")
    with pytest.warns(FutureWarning, match=r"log_device_placement=….*has no effect"):
        tf.Session(config=tf.ConfigProto(log_device_placement=True))


def test_values_of_a_model() -> None:
    import keras
    import tensorflow as tf
    from keras import backend as K

    model = keras.models.Sequential([keras.layers.Dense(2, input_dim=3), keras.layers.Dropout(0.5)])
    kernel, bias = model.get_weights()
    session = K.get_session()
    session.run(tf.global_variables_initializer())
    np.testing.assert_array_equal(session.run(model.layers[0].kernel), kernel)
    inner, outer = session.run(
        [model.layers[0].output, model.output], feed_dict={model.input: X, K.learning_phase(): 0}
    )
    np.testing.assert_allclose(inner, X @ kernel + bias, rtol=1e-6)
    np.testing.assert_array_equal(outer, inner)
    inner, outer = session.run((model.layers[0].output, model.output), {model.input: X, K.learning_phase(): 1})
    assert ((outer == 0) | np.isclose(outer, inner * 2)).all()
    named = session.run({"w": model.weights[0], "nothing": tf.local_variables_initializer()})
    np.testing.assert_array_equal(named["w"], kernel)
    assert named["nothing"] is None
    K.set_learning_phase(0)
    fed = {model.input: X, K.learning_phase(): 0}
    np.testing.assert_array_equal(session.run(model.output, feed_dict=fed), session.run(model.output, {model.input: X}))


def test_placeholders() -> None:
    import tensorflow as tf

    x, factor = tf.placeholder(tf.float32, [None, 3], name="x"), tf.placeholder("float32", ())
    with tf.Session() as session:
        assert session.run(tf.reduce_sum(x) * factor, feed_dict={x: X, factor: 2.0}) == 30
        with pytest.raises(ValueError, match=r"x"):
            session.run(tf.reduce_sum(x))
        with pytest.raises(TypeError, match="a tensor or variable"):
            session.run("dense/kernel:0")
        with pytest.raises(TypeError, match=r"torch\.profiler"):
            session.run(x, {x: X}, run_metadata=object())
    with pytest.raises(ValueError, match="number of axes"):
        tf.placeholder(tf.float32)


def test_a_graph_for_a_thread() -> None:
    import keras
    import tensorflow as tf

    model = keras.models.Sequential([keras.layers.Dense(2, input_dim=3)])
    graph, session = tf.get_default_graph(), tf.Session()
    with graph.as_default(), session.as_default():
        assert tf.get_default_session() is session
        assert model.predict(X).shape == (2, 2)
    graph.finalize()
    with pytest.raises(AttributeError, match=r"K\.function"):
        graph.get_tensor_by_name("dense_1/BiasAdd:0")


def test_lists_of_devices() -> None:
    from keras import backend as K
    from tensorflow.python.client import device_lib

    devices = device_lib.list_local_devices()
    assert (devices[0].name, devices[0].device_type) == ("/device:CPU:0", "CPU")
    gpus = [device.name for device in devices if device.device_type == "GPU"]
    assert K.tensorflow_backend._get_available_gpus() == gpus
    assert len(gpus) == torch.cuda.device_count()


def test_weights_that_are_drawn_anew() -> None:
    import keras
    import tensorflow as tf
    from keras import backend as K

    model = keras.models.Sequential([keras.layers.Dense(4, input_dim=3), keras.layers.BatchNormalization()])
    session = K.get_session()
    drawn = model.get_weights()
    model.set_weights([np.full_like(w, 7) for w in drawn])
    for layer in model.layers:
        if hasattr(layer, "kernel_initializer"):
            layer.kernel.initializer.run(session=session)
    assert not np.isclose(model.get_weights()[0], 7).any()
    assert not np.isclose(model.get_weights()[0], drawn[0]).any()
    assert (model.get_weights()[1] == 7).all()
    session.run(tf.variables_initializer(model.weights))
    assert [w.tolist() for w in model.get_weights()[1:]] == [w.tolist() for w in drawn[1:]]
    made_of_a_value = K.variable(1.0)
    session.run(tf.variables_initializer([made_of_a_value]))
    assert K.get_value(made_of_a_value) == 1
    made_of_a_value.assign(2.0)
    with pytest.raises(ValueError, match="made of a value"):
        session.run(made_of_a_value.initializer)


def test_iterators_of_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:  # as TensorFlow 1.15 in graph mode
    import tensorflow as tf

    from torchkeras_compat.utils.dataset_iterator import MODE

    monkeypatch.setattr(MODE, "eager", None)
    data = tf.data.Dataset.from_tensor_slices({"x": np.arange(5.0), "y": np.arange(5)}).batch(2)
    element = data.make_one_shot_iterator().get_next()
    assert element["x"].shape.as_list() == [None]
    total = tf.reduce_sum(element["x"]) * 2
    drawn = []
    with tf.Session() as session:
        try:
            while True:
                drawn.append(session.run([element["y"], total]))
        except tf.errors.OutOfRangeError:
            pass
        assert [(y.tolist(), float(twice)) for y, twice in drawn] == [([0, 1], 2), ([2, 3], 10), ([4], 8)]
        iterator = data.make_initializable_iterator()
        following = iterator.get_next()
        for _ in range(2):
            session.run(iterator.initializer)
            assert session.run(following)["y"].tolist() == [0, 1]
        assert session.run(element["x"], feed_dict={element["x"]: [7.0]}).tolist() == [7]


def test_iterators_that_fit_takes_and_that_give_values(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    from torchkeras_compat.utils.dataset_iterator import MODE

    monkeypatch.setattr(MODE, "eager", None)
    data = tf.data.Dataset.from_tensor_slices((np.ones((6, 3)), np.ones((6, 1)))).repeat().batch(2)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(3,))])
    model.compile(tf.train.AdamOptimizer(), "mse")
    assert len(model.fit(data.make_one_shot_iterator(), steps_per_epoch=4, epochs=2, verbose=0).history["loss"]) == 2
    x, y = tf.compat.v1.data.make_one_shot_iterator(data).get_next()  # TensorFlow 2.15.1
    assert (x.numpy().shape, y.numpy().tolist()) == ((2, 3), [[1], [1]])
    tf.enable_eager_execution()
    assert data.make_one_shot_iterator().get_next()[0].numpy().sum() == 6
    tf.compat.v1.disable_eager_execution()
    assert not hasattr(tf.compat.v1.data.make_one_shot_iterator(data).get_next()[0], "numpy")
