"""`tf.train.Checkpoint` and its manager: what TensorFlow 2.15.1 does with them, in the programs of its guides."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import compat, layers, optimizers
from torchkeras_compat.saving import safetensors_file
from torchkeras_compat.saving.file_kinds import FileError

X = np.random.RandomState(0).randn(16, 3).astype("float32")
Y = np.random.RandomState(1).randn(16, 1).astype("float32")


@pytest.fixture(autouse=True)
def tf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    compat.install()
    tk.set_dialect("tf.keras")
    monkeypatch.chdir(tmp_path)
    import tensorflow

    yield tensorflow
    compat.uninstall()


class Net(tk.Model):
    def __init__(self) -> None:
        super().__init__()
        self.l1 = layers.Dense(5)

    def call(self, x: Any) -> Any:
        return self.l1(x)


class Deep(tk.Model):
    """Layers in lists, dictionaries and layers of the user's, and weights of its own."""

    class Block(layers.Layer):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.dense, self.norm = layers.Dense(units), layers.BatchNormalization()

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
            super().build(shape)

        def call(self, x: Any) -> Any:
            return self.norm(self.dense(x * self.scale))

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Deep.Block(4), Deep.Block(3)]
        self.heads = {"a": layers.Dense(2), "b": layers.Bidirectional(layers.LSTM(2))}
        self.attention = layers.MultiHeadAttention(1, 2)
        self.chain = tk.Sequential([layers.Dense(2, activation="tanh"), layers.Dense(1)])

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        x = self.heads["b"](self.attention(x[:, None, :], x[:, None, :])) + self.heads["a"](x) @ np.ones((2, 4), "f4")
        return self.chain(x)


def step(tf: Any, net: Any, optimizer: Any, x: Any = X, y: Any = Y) -> float:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x) - y) ** 2)
    optimizer.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return float(loss)


# --- TensorFlow's guide to checkpoints -------------------------------------------------------------------------------


def guide(tf: Any) -> tuple[Any, Any, Any]:
    net, optimizer = Net(), optimizers.Adam(0.1)
    rows = tf.range(10.0)[:, None]
    data = tf.data.Dataset.from_tensor_slices({"x": rows, "y": rows * 5.0 + tf.range(5.0)[None, :]}).repeat().batch(2)
    checkpoint = tf.train.Checkpoint(step=tf.Variable(1), optimizer=optimizer, net=net, iterator=iter(data))
    return net, checkpoint, tf.train.CheckpointManager(checkpoint, "./tf_ckpts", max_to_keep=3)


def run_guide(tf: Any, net: Any, checkpoint: Any, manager: Any) -> list[str]:
    checkpoint.restore(manager.latest_checkpoint)
    told = [f"Restored from {manager.latest_checkpoint}"]
    for _ in range(50):
        example = next(checkpoint.iterator)
        step(tf, net, checkpoint.optimizer, example["x"], example["y"])
        checkpoint.step.assign_add(1)
        if int(checkpoint.step) % 10 == 0:
            told.append(f"{int(checkpoint.step)}: {manager.save()}")
    return told


def test_the_guide(tf: Any) -> None:
    net, checkpoint, manager = guide(tf)
    told = run_guide(tf, net, checkpoint, manager)
    assert told == ["Restored from None", *(f"{10 * i}: ./tf_ckpts/ckpt-{i}" for i in range(1, 6))]
    net, checkpoint, manager = guide(tf)
    told = run_guide(tf, net, checkpoint, manager)
    assert told == ["Restored from ./tf_ckpts/ckpt-5", *(f"{10 * i}: ./tf_ckpts/ckpt-{i}" for i in range(6, 11))]
    assert manager.checkpoints == [f"./tf_ckpts/ckpt-{i}" for i in (8, 9, 10)]
    assert int(checkpoint.optimizer.iterations) == 99
    assert Path("tf_ckpts/checkpoint").read_text().splitlines()[:4] == [
        'model_checkpoint_path: "ckpt-10"',
        *(f'all_model_checkpoint_paths: "ckpt-{i}"' for i in (8, 9, 10)),
    ]

    bias = tf.Variable(tf.zeros([5]))
    fake_layer = tf.train.Checkpoint(bias=bias)
    status = tf.train.Checkpoint(net=tf.train.Checkpoint(l1=fake_layer)).restore(tf.train.latest_checkpoint("tf_ckpts"))
    assert np.array_equal(bias, net.l1.bias)
    fake_layer.kernel = tf.Variable(tf.zeros([1, 5]))
    assert np.array_equal(fake_layer.kernel, net.l1.kernel)
    status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="nothing has taken"):
        status.assert_consumed()

    end = "/.ATTRIBUTES/VARIABLE_VALUE"
    shapes = tf.train.load_checkpoint("./tf_ckpts/").get_variable_to_shape_map()
    assert shapes == {
        "iterator/.ATTRIBUTES/ITERATOR_STATE": [],
        f"net/l1/bias{end}": [5],
        f"net/l1/kernel{end}": [1, 5],
        f"optimizer/_iterations{end}": [],
        f"optimizer/_learning_rate{end}": [],
        f"optimizer/_variables/1{end}": [1, 5],
        f"optimizer/_variables/2{end}": [5],
        f"optimizer/_variables/3{end}": [1, 5],
        f"optimizer/_variables/4{end}": [5],
        f"save_counter{end}": [],
        f"step{end}": [],
    }
    assert tf.train.list_variables("./tf_ckpts/ckpt-10") == sorted(shapes.items())
    reader = tf.train.load_checkpoint("./tf_ckpts/")
    assert reader.get_variable_to_dtype_map()[f"net/l1/kernel{end}"].name == "float32"
    assert np.array_equal(reader.get_tensor(f"net/l1/kernel{end}"), net.l1.kernel)
    assert tf.train.load_variable("tf_ckpts", f"step{end}") == 100
    with pytest.raises(ValueError, match="there is no 'nothing'"):
        reader.get_tensor("nothing")


def test_lists_and_dictionaries(tf: Any) -> None:
    save = tf.train.Checkpoint()
    save.listed = [tf.Variable(1.0)]
    save.listed.append(tf.Variable(2.0))
    save.mapped = {"one": save.listed[0]}
    save.mapped["two"] = save.listed[1]
    path = save.save("./tf_list_example")
    assert path == "./tf_list_example-1"
    restore, v1, v2 = tf.train.Checkpoint(), tf.Variable(0.0), tf.Variable(0.0)
    restore.mapped = {"two": v2}
    restore.restore(path)
    assert float(v2) == 2.0
    restore.listed = []
    restore.listed.append(v1)
    assert float(v1) == 1.0


# --- what is restored, and when --------------------------------------------------------------------------------------


def test_what_is_built_later_gets_its_values_then(tf: Any) -> None:
    net, optimizer = Deep(), optimizers.Adam(0.01)
    for _ in range(3):
        step(tf, net, optimizer)
    path = tf.train.Checkpoint(net=net, optimizer=optimizer).save("ckpt")
    straight = [step(tf, net, optimizer) for _ in range(3)]

    net, optimizer = Deep(), optimizers.Adam(0.5)
    status = tf.train.Checkpoint(net=net, optimizer=optimizer).restore(path)
    os.unlink(path)  # as a manager may
    with pytest.raises(AssertionError):
        status.assert_consumed()
    assert float(optimizer.learning_rate) == 0.01
    assert [step(tf, net, optimizer) for _ in range(3)] == pytest.approx(straight, rel=1e-6)
    status.assert_consumed()


def test_what_is_there_gets_its_values_at_once(tf: Any) -> None:
    net = Deep()
    net(X)
    path = tf.train.Checkpoint(net=net).write("folder/x")
    assert path == "folder/x"
    other = Deep()
    other(X)
    tf.train.Checkpoint(net=other).read(path).assert_consumed().assert_nontrivial_match().expect_partial()
    assert all(np.array_equal(a, b) for a, b in zip(net.get_weights(), other.get_weights()))


SETTINGS: dict[str, Callable[[], Any]] = {
    **{
        name: getattr(optimizers, name)
        for name in ("SGD", "Adam", "Nadam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Ftrl")
    },
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "amsgrad": lambda: optimizers.Adam(amsgrad=True),
    "schedule": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "scaled": lambda: tk.mixed_precision.LossScaleOptimizer(optimizers.Adam()),
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("dialect", ["tf.keras", "keras-2.15"])
def test_training_goes_on_with_each_optimizer(tf: Any, setting: str, dialect: str) -> None:
    tk.set_dialect(dialect)

    def fresh() -> Any:
        model = tk.Sequential([layers.Dense(4, "tanh"), layers.Dense(1)])
        model.compile(SETTINGS[setting](), "mse")
        return model

    model = fresh()
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save_weights("ckpt")
    path = tf.train.Checkpoint(model=model).save("other")
    straight = model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"]
    for load in (
        lambda model: model.load_weights("ckpt"),
        lambda model: tf.train.Checkpoint(model).read("ckpt"),
        lambda model: tf.train.Checkpoint(model=model).restore(path),
        lambda model: tf.train.Checkpoint(model=model, optimizer=model.optimizer).restore(path),
    ):
        model = fresh()
        load(model)
        losses = model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"]
        assert losses == pytest.approx(straight, rel=1e-6)


def test_an_optimizer_that_a_user_wrote(tf: Any) -> None:
    tk.set_dialect("keras-2.15")

    class Momentum(optimizers.Optimizer):
        def __init__(self, learning_rate: float = 0.1, name: str = "Momentum", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self._learning_rate = self._build_learning_rate(learning_rate)

        def build(self, var_list: Any) -> None:
            super().build(var_list)
            self.v = [self.add_variable_from_reference(v, "m") for v in var_list]

        def update_step(self, gradient: Any, variable: Any) -> None:
            v = self.v[self._index_dict[self._var_key(variable)]]
            v.assign(0.9 * v + gradient)
            variable.assign_sub(self.learning_rate * v)

    net, optimizer = Net(), Momentum()
    y = np.ones((16, 5), "f4")
    for _ in range(3):
        step(tf, net, optimizer, y=y)
    path = tf.train.Checkpoint(net=net, optimizer=optimizer).save("ckpt")
    straight = [step(tf, net, optimizer, y=y) for _ in range(2)]
    net, optimizer = Net(), Momentum()
    status = tf.train.Checkpoint(net=net, optimizer=optimizer).restore(path)
    assert [step(tf, net, optimizer, y=y) for _ in range(2)] == pytest.approx(straight, rel=1e-6)
    status.assert_consumed()


def test_weights_alone_of_a_model_that_is_not_built(tf: Any) -> None:
    net, other = Deep(), Deep()
    net(X)
    net.save_weights("ckpt")
    status = other.load_weights("ckpt")
    assert np.allclose(other(X), net(X), atol=1e-6)
    status.assert_consumed()
    Net().save_weights("easy_checkpoint")  # nothing yet, as in Keras
    with pytest.raises(ValueError, match="has no weights yet"):
        tk.Sequential([layers.Dense(1)]).save_weights("ckpt")
    with pytest.raises(ValueError, match="has no weights yet"):
        Net().save_weights("w.h5")


def test_a_chain_and_a_graph_of_the_same_layers(tf: Any) -> None:
    chain = tk.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dropout(0.5), layers.Dense(1)])
    chain.save_weights("ckpt")
    inputs = tk.Input((3,))
    graph = tk.Model(inputs, layers.Dense(1)(layers.ReLU()(layers.Dense(4)(inputs))))
    graph.load_weights("ckpt").assert_existing_objects_matched()
    assert all(np.array_equal(a, b) for a, b in zip(chain.get_weights(), graph.get_weights()))


def test_adversaries_with_an_optimizer_each(tf: Any) -> None:
    def pair() -> tuple[Any, Any]:
        made, real = (tk.Sequential([layers.Dense(3), layers.Dense(3)]) for _ in range(2))
        slots = {"made_optimizer": optimizers.Adam(1e-3), "real_optimizer": optimizers.RMSprop(1e-3)}
        return (made, real), tf.train.Checkpoint(made=made, real=real, **slots)

    def train(models: Any, checkpoint: Any) -> list[float]:
        optimizers_ = checkpoint.made_optimizer, checkpoint.real_optimizer
        return [step(tf, model, one, y=X) for _ in range(3) for model, one in zip(models, optimizers_)]

    models, checkpoint = pair()
    train(models, checkpoint)
    path = checkpoint.save("training_checkpoints/ckpt")
    straight = train(models, checkpoint)
    models, checkpoint = pair()
    status = checkpoint.restore(tf.train.latest_checkpoint("training_checkpoints"))
    assert train(models, checkpoint) == pytest.approx(straight, rel=1e-6)
    status.assert_consumed()
    assert checkpoint.save("training_checkpoints/ckpt") == path.replace("-1", "-2")


def test_modules_of_torch_and_metrics(tf: Any) -> None:
    module, metric = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1)), tk.metrics.Mean()
    metric.update_state([1.0, 2.0])
    path = tf.train.Checkpoint(module=module, metric=metric).save("m")
    other, fresh = copy.deepcopy(module), tk.metrics.Mean()
    torch.nn.init.zeros_(other[0].weight)
    fresh.update_state([9.0])
    tf.train.Checkpoint(module=other, metric=fresh).restore(path).assert_consumed()
    assert torch.equal(other[0].weight, module[0].weight)
    assert float(fresh.result()) == 1.5


# --- the manager -----------------------------------------------------------------------------------------------------


def test_the_manager_keeps_the_latest(tf: Any) -> None:
    checkpoint = tf.train.Checkpoint(v=tf.Variable(1.0))
    manager = tf.train.CheckpointManager(checkpoint, "mm", max_to_keep=None)
    assert [manager.save() for _ in range(3)] == ["mm/ckpt-1", "mm/ckpt-2", "mm/ckpt-3"] == manager.checkpoints
    assert manager.save(checkpoint_number=77) == "mm/ckpt-77" == manager.latest_checkpoint
    assert (manager.directory, manager.checkpoint_interval, manager.checkpoint) == ("mm", None, checkpoint)
    other = tf.train.CheckpointManager(checkpoint, "mm", max_to_keep=2, checkpoint_name="zz")
    assert [other.save() for _ in range(2)] == ["mm/zz-5", "mm/zz-6"] == other.checkpoints
    assert sorted(os.listdir("mm")) == ["checkpoint", "zz-5", "zz-6"]
    state = tf.train.get_checkpoint_state("mm")
    assert (state.model_checkpoint_path, state.all_model_checkpoint_paths) == ("mm/zz-6", ["mm/zz-5", "mm/zz-6"])
    assert tf.train.get_checkpoint_state("nowhere") is None
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="a positive integer or None"):
            tf.train.CheckpointManager(checkpoint, "mm", max_to_keep=wrong)
    with pytest.raises(ValueError, match="step_counter"):
        tf.train.CheckpointManager(checkpoint, "mm", max_to_keep=1, checkpoint_interval=2)


def test_the_manager_counts_steps_and_begins(tf: Any) -> None:
    checkpoint, begun = tf.train.Checkpoint(v=tf.Variable(1)), []
    manager = tf.train.CheckpointManager(
        checkpoint, "nn", 2, step_counter=checkpoint.v, checkpoint_interval=3, init_fn=lambda: begun.append(1)
    )
    assert manager.restore_or_initialize() is None
    assert begun == [1]
    saved = []
    for _ in range(5):
        saved.append(manager.save())
        checkpoint.v.assign_add(1)
    assert saved == ["nn/ckpt-1", None, None, "nn/ckpt-2", None]
    assert manager.save(check_interval=False) == "nn/ckpt-3"
    assert manager.restore_or_initialize() == "nn/ckpt-3"
    assert tf.train.CheckpointManager(checkpoint, "nn", 2).checkpoints == ["nn/ckpt-2", "nn/ckpt-3"]


def test_one_in_so_many_hours_stays(tf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1e9]
    monkeypatch.setattr("torchkeras_compat.saving.checkpoint_manager.time.time", lambda: clock[0])
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=tf.Variable(1)), "hh", 1, 2)
    for _ in range(6):
        clock[0] += 3600
        manager.save()
    assert sorted(os.listdir("hh")) == ["checkpoint", "ckpt-2", "ckpt-4", "ckpt-6"]
    assert manager.checkpoints == ["hh/ckpt-6"]


# --- what does not fit -----------------------------------------------------------------------------------------------


def test_no_checkpoint_restores_nothing(tf: Any) -> None:
    status = tf.train.Checkpoint(v=tf.Variable(1.0)).restore(None)
    assert status.expect_partial() is status
    with pytest.raises(AssertionError, match=r"No checkpoint specified \(save_path=None\)"):
        status.assert_consumed()
    for method in ("read", "restore"):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            getattr(tf.train.Checkpoint(v=tf.Variable(1.0)), method)("nowhere")


@pytest.mark.parametrize("value", [1, "x", np.ones(3), torch.ones(2), None, print])
def test_what_has_no_place_in_a_checkpoint(tf: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="a must be a variable, layer, model"):
        tf.train.Checkpoint(a=value)


def test_a_value_that_does_not_fit_changes_nothing(tf: Any) -> None:
    path = tf.train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable([1.0])).save("x")
    other = tf.train.Checkpoint(a=tf.Variable(5.0), b=tf.Variable([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"has shape \(2,\) .* in the file it has shape \(1,\)"):
        other.restore(path)
    assert float(other.a) == 5.0
    whole = tf.train.Checkpoint(a=tf.Variable(5))
    with pytest.raises(ValueError, match=r"type torch\.int32; in the file"):
        whole.restore(path)


def test_what_the_file_does_not_have(tf: Any) -> None:
    path = tf.train.Checkpoint(a=tf.Variable(1.0)).save("x")
    with pytest.warns(UserWarning, match="'u' is not in the file"):
        status = tf.train.Checkpoint(u=tf.Variable(1.0)).restore(path)
    for method in ("assert_consumed", "assert_existing_objects_matched"):
        with pytest.raises(AssertionError, match="the file has no 'u'"):
            getattr(status, method)()
    status.assert_nontrivial_match()  # the number of the next one
    with pytest.warns(UserWarning, match="'u' is not in the file"):
        status = tf.train.Checkpoint(u=tf.Variable(1.0)).read(path)
    with pytest.raises(AssertionError, match="nothing in the file"):
        status.assert_nontrivial_match()


def test_weights_by_another_name(tf: Any) -> None:
    model = tk.Sequential([layers.Dense(1, input_shape=(3,))])
    tf.train.Checkpoint(model=model).write("x")
    with pytest.raises(ValueError, match=r"it holds model=…. Restore it as it was written"):
        model.load_weights("x")
    with pytest.raises(ValueError, match="by_name"):
        model.load_weights("x", by_name=True)
    with pytest.raises(ValueError, match=r"it holds model=…"):
        Net().load_weights("x")


def test_other_kinds_of_files(tf: Any, tmp_path: Path) -> None:
    checkpoint = tf.train.Checkpoint(v=tf.Variable(1.0))
    (tmp_path / "real.index").write_bytes(b"\0" * 50)
    with pytest.raises(ValueError, match=r"TensorFlow wrote\. .*model\.save_weights\('weights\.h5'\)"):
        checkpoint.restore("real")
    (tmp_path / "page").write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(ValueError, match="HTML"):
        checkpoint.restore("page")
    tk.Sequential([layers.Dense(1, input_shape=(3,))]).save_weights("w.safetensors")
    with pytest.raises(ValueError, match="the weights of one model"):
        checkpoint.restore("w.safetensors")


@pytest.mark.parametrize(
    "graph",
    ["[", "{}", "[]", "[1]", '[{"parts": {"v": 7}}]', '[{"parts": {"v": -1}}]', '[{"parts": [1]}]', '[{"key": "no"}]',
     '[{"parts": {"v": true}}]', '[{"key": 3}]', "[" * 100_000],
)  # fmt: skip
def test_a_graph_that_is_damaged(tf: Any, graph: str) -> None:
    with open("x", "wb") as file:
        safetensors_file.write_tensors(file, {"v": torch.ones(())}, {"object_graph": graph})
    variable = tf.Variable(5.0)
    with pytest.raises(FileError, match="corrupt"):
        tf.train.Checkpoint(v=variable).read("x")
    assert float(variable) == 5.0


def test_objects_that_stand_in_a_circle(tf: Any) -> None:
    nodes = [{"parts": {"next": 1, "v": 2}}, {"parts": {"next": 0}}, {"key": "v"}]
    with open("x", "wb") as file:
        safetensors_file.write_tensors(file, {"v": torch.ones(())}, {"object_graph": json.dumps(nodes)})
    first, second = tf.train.Checkpoint(v=tf.Variable(5.0)), tf.train.Checkpoint()
    first.next, second.next = second, first
    first.read("x").assert_consumed()
    assert float(first.v) == 1.0
    first.save("again")


def test_a_file_that_is_cut_short(tf: Any) -> None:
    checkpoint = tf.train.Checkpoint(v=tf.Variable([5.0, 6.0]))
    path = checkpoint.save("x")
    data = Path(path).read_bytes()
    for length in range(0, len(data), 7):
        Path(path).write_bytes(data[:length])
        with pytest.raises(ValueError):
            checkpoint.restore(path)


def test_variables_of_the_backend_in_the_package_itself() -> None:
    from torchkeras_compat.saving.object_checkpoints import Checkpoint

    path = Checkpoint(v=K.variable([1.0, 2.0])).write("x")
    other = Checkpoint(v=K.variable([0.0, 0.0]))
    other.read(path).assert_consumed()
    assert other.v.numpy().tolist() == [1.0, 2.0]
