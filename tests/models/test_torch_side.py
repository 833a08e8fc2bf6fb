"""A Sequential is a `torch.nn.Module`: what torch users do with one works."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(12, 6).astype("float32")
Y = X.sum(1, keepdims=True)


def model_of() -> Any:
    model = keras.Sequential(
        [
            layers.Dense(5, activation="relu", input_shape=(6,)),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_parameters_and_state_dict(device: torch.device) -> None:
    model, other = model_of(), model_of()
    assert sum(p.numel() for p in model.parameters()) == 6 * 5 + 5 + 10 + 5 + 1
    assert all(p.device.type == device.type for p in model.parameters())
    model.fit(X, Y, verbose=0)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_loop_by_hand() -> None:
    model = model_of()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    x, y = (torch.as_tensor(v, device=next(model.parameters()).device) for v in (X, Y))
    values = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x, training=True), y)
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0]
    model.fit(X, Y, verbose=0)


def test_training_or_not() -> None:
    model, x = model_of(), torch.from_numpy(X)
    assert torch.equal(model(x), model(x))
    assert not torch.equal(model(x, training=True), model(x))
    np.testing.assert_allclose(model(X).detach().cpu().numpy(), model.predict(X), rtol=1e-6)
    assert model(x).requires_grad


@pytest.mark.parametrize("change", [lambda m: m.double(), lambda m: m.to(torch.float64), lambda m: m.bfloat16()])
def test_other_types(change: Any) -> None:
    model = model_of()
    model.fit(X, Y, verbose=0)
    change(model)
    dtype = next(model.parameters()).dtype
    assert model(X).dtype == dtype
    model.fit(X, Y, verbose=0)
    assert next(model.parameters()).dtype == dtype
    assert model.predict(X).shape == (12, 1)


@pytest.mark.gpu
def test_to_and_fro() -> None:
    model = model_of()
    assert next(model.parameters()).is_cuda
    model.fit(X, Y, verbose=0)
    before = model.predict(X)
    model.to("cpu")
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-4, atol=1e-6)
    model.fit(X, Y, verbose=0)
    assert next(model.parameters()).device.type == "cpu"
    model.cuda()
    model.fit(X, Y, verbose=0)
    assert next(model.parameters()).is_cuda


def pickled(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


def saved(model: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.parametrize("how", [copy.deepcopy, pickled, saved], ids=["deepcopy", "pickle", "torch.save"])
@pytest.mark.parametrize("trained", [False, True])
def test_copies(how: Any, trained: bool) -> None:
    model = model_of()
    if trained:
        model.fit(X, Y, epochs=2, verbose=0)
    twin = how(model)
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert {p.data_ptr() for p in twin.parameters()}.isdisjoint(p.data_ptr() for p in model.parameters())
    before = model.get_weights()
    values = []
    for one in (twin, model):  # each goes on alone, with its own slots of Adam
        np.random.seed(5)
        values.append([*one.fit(X, Y, epochs=2, verbose=0).history["loss"]])
        if one is twin:
            assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    assert twin.optimizer is not model.optimizer
    assert int(twin.optimizer.iterations) == int(model.optimizer.iterations)


def test_hooks_fire() -> None:
    model, seen = model_of(), []
    handles = [
        layer.register_forward_hook(lambda module, args, out: seen.append((module.name, tuple(out.shape))))
        for layer in (*model.layers, model)
    ]
    expected = [*((layer.name, (12, layer.output_shape[-1])) for layer in model.layers), (model.name, (12, 1))]
    model(X)
    assert seen == expected
    for call in (lambda: model.fit(X, Y, verbose=0), lambda: model.evaluate(X, Y, verbose=0), lambda: model.predict(X)):
        seen.clear()
        call()
        assert seen[:4] == expected[:4]
    for handle in handles:
        handle.remove()
    seen.clear()
    model.fit(X, Y, verbose=0)
    assert not seen


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_on_a_model_in_a_model_sees_the_one_run(register: str) -> None:
    def fitted(hooked: bool) -> tuple[Any, int]:
        calls: list[Any] = []
        inner = keras.Sequential([layers.BatchNormalization(input_shape=(6,)), layers.Dense(1)])
        model = keras.Sequential([inner])
        model.set_weights([np.full(w.shape, 0.5) for w in model.get_weights()])
        model.compile("sgd", "mse")
        if hooked:
            getattr(inner, register)(lambda *_: calls.append(1))
        model.fit(X, Y, batch_size=6, shuffle=False, verbose=0)
        return model.get_weights(), len(calls)

    (expected, _), (got, calls) = fitted(False), fitted(True)
    assert calls == 2
    for a, b in zip(got, expected):  # moving averages too
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_hook_on_a_model_in_a_model_lets_the_mask_through() -> None:
    inner = keras.Sequential([layers.Masking(input_shape=(3, 2)), layers.Dense(2)])
    model = keras.Sequential([inner, layers.LSTM(2)])
    x = np.ones((2, 3, 2), "float32")
    x[:, 2] = 0
    expected = model.predict(x)
    inner.register_forward_hook(lambda *_: None)
    np.testing.assert_array_equal(model.predict(x), expected)
    assert not inner._left_masks


def test_a_hook_that_changes_the_output() -> None:
    model = keras.Sequential([layers.Dense(2, activation="softmax", input_shape=(6,))])
    model.compile("sgd", "categorical_crossentropy")
    y = np.eye(2)[np.arange(12) % 2]
    before = model.test_on_batch(X, y)
    handle = model.layers[-1].register_forward_hook(lambda module, args, out: out * 0 + 0.5)
    model.compile("sgd", "categorical_crossentropy")
    assert model.test_on_batch(X, y) == pytest.approx(np.log(2), rel=1e-5)
    handle.remove()
    model.compile("sgd", "categorical_crossentropy")
    assert model.test_on_batch(X, y) == pytest.approx(before)


def test_names_as_they_come() -> None:
    model = keras.Sequential(
        [layers.Dense(3, name="train", input_shape=(6,)), layers.Dense(2, name="a.b"), layers.Dense(1, name="forward")]
    )
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert [w.name for w in model.weights][::2] == ["train/kernel:0", "a.b/kernel:0", "forward/kernel:0"]
    assert model.get_layer("a.b").units == 2
    assert callable(model.train)
    assert model.eval() is model
    keras.Sequential.from_config(model.get_config())


class TestModulesInTheList:
    def test_as_they_are(self, device: torch.device) -> None:
        model = keras.Sequential(
            [layers.Input((6,)), nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), layers.Dense(1)]
        )
        assert model.output_shape == (None, 1)
        assert model.count_params() == 6 * 8 + 8 + 4 * 8 + 1 + 8 + 1
        model.compile("adam", "mse")
        losses = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        np.testing.assert_array_equal(model.predict(X), model.predict(X))
        weights = model.get_weights()
        model.set_weights([w * 0 for w in weights])
        assert (model.predict(X) == 0).all()

    def test_without_a_shape(self) -> None:
        model = keras.Sequential([nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 1)])
        model.compile("sgd", nn.MSELoss())
        model.fit(X, Y, verbose=0)
        assert model.output_shape == (None, 1)

    def test_the_module_trains_itself(self) -> None:
        linear = nn.Linear(6, 1)
        before = linear.weight.detach().clone().cpu()
        model = keras.Sequential([layers.Input((6,)), linear])
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert not torch.equal(before, linear.weight.detach().cpu())
        np.testing.assert_array_equal(model.get_weights()[0], linear.weight.detach().cpu().numpy())

    def test_tuples_are_refused_by_the_wrapper_to_write(self) -> None:
        model = keras.Sequential([layers.Input((4, 3))])
        with pytest.raises(
            TypeError, match=r"nn.LSTM returns a tuple of 2; write layers.TorchModuleWrapper\(module, output_index=0\)"
        ):
            model.add(nn.LSTM(3, 5, batch_first=True))
        assert model.layers == []
        model.add(layers.TorchModuleWrapper(nn.LSTM(3, 5, batch_first=True), output_index=0))
        model.add(layers.Lambda(lambda x: x[:, -1]))
        model.add(layers.Dense(1))
        model.compile("adam", "mse")
        x = np.random.rand(8, 4, 3)
        assert len(model.fit(x, x.sum((1, 2)), verbose=0).epoch) == 1

    @pytest.mark.parametrize(
        ("module", "shape", "ours"),
        [
            (nn.Conv2d(3, 4, 3), (8, 8, 3), "Conv1D/Conv2D"),
            (nn.MaxPool2d(2), (8, 8, 3), "MaxPooling"),
            (nn.BatchNorm2d(3), (8, 8, 3), "BatchNormalization"),
            (nn.Sequential(nn.Conv1d(3, 4, 3)), (8, 3), "Conv1D"),
        ],
        ids=["conv", "pool", "norm", "inside"],
    )
    def test_channels_first_is_refused(self, module: nn.Module, shape: tuple[int, ...], ours: str) -> None:
        model = keras.Sequential([layers.Input(shape)])
        with pytest.raises(ValueError, match=rf"channels_first=True.*{ours}"):
            model.add(module)
        assert model.layers == []
        model.add(layers.TorchModuleWrapper(module, channels_first=True))
        assert model.predict(np.zeros((2, *shape))).shape == (2, *model.output_shape[1:])

    def test_channels_first_is_the_same_as_ours(self) -> None:
        ours = keras.Sequential([layers.Conv2D(4, 3, input_shape=(8, 8, 3))])
        conv = nn.Conv2d(3, 4, 3)
        theirs = keras.Sequential([layers.Input((8, 8, 3)), layers.TorchModuleWrapper(conv, channels_first=True)])
        kernel, bias = ours.get_weights()
        theirs.set_weights([kernel.transpose(3, 2, 0, 1), bias])
        x = np.random.rand(2, 8, 8, 3)
        np.testing.assert_allclose(ours.predict(x), theirs.predict(x), atol=1e-5)

    def test_freezing_one(self) -> None:
        model = keras.Sequential([layers.Input((6,)), nn.Linear(6, 3), layers.Dense(1)])
        model.layers[0].trainable = False
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights())] == [True, True, False, False]

    def test_clone(self) -> None:
        model = keras.Sequential([layers.Input((6,)), nn.Linear(6, 3)])
        twin = keras.models.clone_model(model)
        assert twin.count_params() == model.count_params()
        assert twin.layers[0].module is not model.layers[0].module


def test_devices_that_are_not_there() -> None:
    with pytest.raises(
        ValueError, match=r"set_device\('cuda:99'\): this machine has \d+ CUDA devices; write set_device\('cpu'\)"
    ):
        keras.set_device("cuda:99")
    with pytest.raises(ValueError, match="did you mean 'cuda'"):
        keras.set_device("cudaa")
    keras.set_device("cpu")
    assert next(model_of().parameters()).device.type == "cpu"


@pytest.mark.gpu
def test_set_device_decides() -> None:
    keras.set_device("cpu")
    assert next(model_of().parameters()).device.type == "cpu"
    keras.set_device("cuda:0")
    assert next(model_of().parameters()).is_cuda
    keras.set_device(None)
    assert next(model_of().parameters()).is_cuda
