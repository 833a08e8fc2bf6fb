"""`tf.distribute` with one replica; numbers of TensorFlow 2.15.1 on one CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat._core.border import KerasSpellingWarning

X = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
Y = np.array([0, 1, 2, 0, 1, 2, 0, 1])


def test_a_script_that_looks_for_a_tpu() -> None:
    import tensorflow as tf

    try:
        tpu = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(tpu)
        tf.tpu.experimental.initialize_tpu_system(tpu)
        strategy = tf.distribute.experimental.TPUStrategy(tpu)
    except ValueError:
        strategy = tf.distribute.get_strategy()
    assert strategy.num_replicas_in_sync == 1
    with strategy.scope():
        model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="softmax", input_shape=(4,))])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().batch(4 * strategy.num_replicas_in_sync)
    history = model.fit(data, steps_per_epoch=3, epochs=2, verbose=0).history
    assert len(history["loss"]) == 2


def test_a_loop_of_ones_own_by_a_strategy() -> None:
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy()
    data = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((X, Y)).batch(4))
    with strategy.scope():
        model = tf.keras.Sequential([tf.keras.layers.Dense(3, kernel_initializer="ones", input_shape=(4,))])
        optimizer = tf.keras.optimizers.SGD(0.1)
        losses = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")

    def train(batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = tf.nn.compute_average_loss(losses(y, model(x, training=True)), global_batch_size=4)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        assert tf.distribute.get_replica_context().all_reduce("sum", loss) is loss
        return loss

    @tf.function
    def step(batch: Any) -> Any:
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(train, args=(batch,)), axis=None)

    np.testing.assert_allclose([float(step(batch)) for batch in data], [1.0986123, 1.1023093], rtol=1e-6)


def test_scopes() -> None:
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    assert not tf.distribute.has_strategy()
    assert tf.distribute.get_replica_context() is not None
    with strategy.scope() as inside:
        assert inside is strategy is tf.distribute.get_strategy()
        assert tf.distribute.has_strategy()
        assert tf.distribute.in_cross_replica_context()
        assert tf.distribute.get_replica_context() is None
        assert strategy.run(lambda a, b: a + b, (1,), {"b": 2}) == 3
    assert not tf.distribute.has_strategy()
    values = tf.constant([[1.0, 2.0], [3.0, 6.0]])
    assert strategy.reduce("MEAN", values, axis=0).numpy().tolist() == [2, 4]
    assert strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=1).numpy().tolist() == [3, 9]
    assert strategy.experimental_local_results(3) == (3,)
    assert strategy.distribute_datasets_from_function(lambda c: c.get_per_replica_batch_size(8)) == 8
    with pytest.raises(ValueError, match="reduce_op"):
        strategy.reduce("MAX", values, axis=0)


def test_averages_of_losses() -> None:  # numbers of TensorFlow 2.15.1
    import tensorflow as tf

    losses = tf.constant([0.5, 1.0, 1.5, 3.0])
    assert float(tf.nn.compute_average_loss(losses)) == 1.5
    assert float(tf.nn.compute_average_loss(losses, [1.0, 0.0, 1.0, 2.0], 8)) == 1.0
    assert float(tf.nn.scale_regularization_loss(tf.constant([0.25, 0.5]))) == 0.75


def test_several_devices_and_machines_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    with pytest.warns(KerasSpellingWarning, match="one of 2 devices"):
        tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1"])
    tf.distribute.MirroredStrategy(["/cpu:0"], cross_device_ops=tf.distribute.HierarchicalCopyAllReduce())
    tf.distribute.experimental.MultiWorkerMirroredStrategy()
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    with pytest.raises(ValueError, match="2 workers"):
        tf.distribute.MultiWorkerMirroredStrategy()
    with pytest.raises(AttributeError, match="DistributedDataParallel"):
        tf.distribute.experimental.ParameterServerStrategy  # noqa: B018
