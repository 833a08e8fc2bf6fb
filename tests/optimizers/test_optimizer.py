"""What an optimizer is to its users: Keras's attributes and calls over a torch optimizer."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as tk
from torchkeras_compat import optimizers
from torchkeras_compat._core import border, dialects, registry
from torchkeras_compat._core.border import Spelling
from torchkeras_compat._core.weights import TRANSPOSED, Weight
from torchkeras_compat.optimizers import SGD, Adam, Hyperparameter, Nadam, RMSprop, experimental, legacy

ALL = ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Ftrl", "Lion", "Adafactor"]


@pytest.fixture
def lr_spelling() -> Iterator[None]:
    """Install the table that `compat` installs for users."""
    before = {name: border.TABLES.spellings.get(name) for name in ALL}
    border.install({name: {"lr": Spelling("learning_rate", quiet=True)} for name in ALL}, {}, {})
    yield
    for name, table in before.items():
        if table is None:
            del border.TABLES.spellings[name]
        else:
            border.TABLES.spellings[name] = table


def steps(optimizer: Any, model: nn.Module, count: int = 1) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        model(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()


def model_of(seed: int = 0) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


def one(optimizer: Any) -> tuple[torch.Tensor, Any]:
    weight = torch.zeros(1)
    return weight, optimizer.bind([("w", weight)])


# --- learning rate and counter


@pytest.mark.parametrize("attribute", ["lr", "learning_rate"])
def test_setting_the_rate_changes_the_next_step(attribute: str) -> None:
    optimizer = SGD(1.0)
    weight, binding = one(optimizer)
    setattr(optimizer, attribute, 0.5)
    binding.step([torch.ones(1)])
    assert weight.item() == -0.5
    getattr(optimizer, attribute).assign(0.25)
    binding.step([torch.ones(1)])
    assert weight.item() == -0.75
    optimizer.lr._set(np.float32(0.125))
    binding.step([torch.ones(1)])
    assert weight.item() == -0.875
    assert optimizer.param_groups[0]["lr"] == 0.125


def test_rate_is_a_float_that_knows_its_optimizer() -> None:
    rate = Adam(0.01).lr
    assert isinstance(rate, Hyperparameter)
    assert rate == 0.01
    assert rate * 2 == 0.02
    assert rate.numpy() == np.float32(0.01)
    assert rate.value() == 0.01
    assert json.dumps(rate) == "0.01"
    assert type(pickle.loads(pickle.dumps(rate))) is float
    assert type(copy.deepcopy(rate)) is float


def test_counter_is_an_int_that_can_be_set() -> None:
    optimizer = SGD(1.0, decay=1.0)
    weight, binding = one(optimizer)
    for _ in range(3):
        binding.step([torch.ones(1)])
    assert optimizer.iterations == 3
    assert optimizer.iterations.numpy() == 3
    assert weight.item() == pytest.approx(-(1 + 1 / 2 + 1 / 3))
    optimizer.iterations.assign(0)
    optimizer.decay = 0.0
    binding.step([torch.ones(1)])
    assert weight.item() == pytest.approx(-(2 + 1 / 2 + 1 / 3))
    assert optimizer.iterations == 1


def test_function_as_rate_is_asked_before_each_step() -> None:
    rates = iter([0.0, 1.0, 0.5])  # the first is asked for by the constructor
    weight, binding = one(SGD(lambda: next(rates)))
    binding.step([torch.ones(1)])
    binding.step([torch.ones(1)])
    assert weight.item() == -1.5


def test_hyperparameters_take_effect_at_the_next_step() -> None:
    optimizer = SGD(1.0)
    weight, binding = one(optimizer)
    binding.step([torch.ones(1)])
    optimizer.momentum = 0.5
    assert optimizer.slot_names == ("momentum",)
    binding.step([torch.ones(1)])
    binding.step([torch.ones(1)])
    assert weight.item() == -3.5
    rms = RMSprop(1.0, epsilon=0.0)
    weight, binding = one(rms)
    rms.rho = 0.75
    binding.step([torch.ones(1)])
    assert weight.item() == -2.0


@pytest.mark.usefixtures("lr_spelling")
def test_lr_is_an_old_spelling() -> None:
    assert SGD(lr=0.5).learning_rate == 0.5
    assert SGD.from_config({"lr": 0.25}).lr == 0.25
    with pytest.raises(TypeError, match="lr and learning_rate are one argument"):
        SGD(lr=0.5, learning_rate=0.5)


# --- dialects


@pytest.mark.parametrize(
    ("name", "classic", "later"), [("Adagrad", 0.01, 0.001), ("Adadelta", 1.0, 0.001), ("Adamax", 0.002, 0.001)]
)
def test_default_rates_by_dialect(name: str, classic: float, later: float) -> None:
    assert getattr(optimizers, name)().lr == classic
    assert getattr(legacy, name)().lr == later
    assert getattr(experimental, name)().lr == later


def test_decay_is_refused_where_the_class_has_none() -> None:
    with pytest.raises(
        ValueError, match=r"SGD\(decay=0.1\): the dialect 'keras-2.15' has no decay; write a learning-rate"
    ):
        experimental.SGD(decay=0.1)
    with pytest.raises(ValueError, match=r"schedule_decay=\.004"):
        Nadam(decay=0.1)
    with pytest.raises(ValueError, match="InverseTimeDecay"):
        optimizers.Lion(decay=0.1)
    with pytest.raises(
        ValueError, match=r"has no weight_decay; write set_dialect.*tensorflow\.keras `run --dialect keras-2\.15`"
    ):
        SGD(weight_decay=0.1)
    assert legacy.SGD(decay=0.1).decay == 0.1


def test_decay_of_the_legacy_nadam_is_refused() -> None:
    with pytest.raises(ValueError, match=r"schedule_decay=\.004"):
        legacy.Nadam(0.1, decay=0.3)
    assert legacy.Nadam(0.1, schedule_decay=0.01).schedule_decay == 0.01


def test_clipping_by_dialect() -> None:
    grads = [[3.0], [4.0]]

    def clipped(optimizer: Any) -> list[float]:
        return [g.item() for g in optimizer.clipping([torch.tensor(g) for g in grads])]

    assert clipped(SGD(clipnorm=1.0)) == pytest.approx([0.6, 0.8])
    assert clipped(legacy.SGD(clipnorm=1.0)) == pytest.approx([1.0, 1.0])
    assert clipped(experimental.SGD(clipnorm=1.0, clipvalue=0.1)) == pytest.approx([1.0, 1.0])
    assert clipped(legacy.SGD(clipnorm=1.0, clipvalue=0.1)) == pytest.approx([0.1, 0.1])
    assert clipped(SGD(clipnorm=1.0, clipvalue=0.7)) == pytest.approx([0.6, 0.7])
    assert clipped(SGD(global_clipnorm=10.0)) == pytest.approx([3.0, 4.0])
    assert SGD(clipnorm=1.0).clipping.names == ("global_clipnorm",)
    assert [g.item() for g in SGD(clipnorm=1.0).clipping([torch.zeros(1)])] == [0.0]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dialect", list(dialects.DIALECTS))
def test_configuration_makes_an_equal_optimizer(name: str, dialect: str) -> None:
    with dialects.using(dialect):
        optimizer = getattr(optimizers, name)(learning_rate=0.3, clipvalue=0.5, name="mine")
        config = json.loads(json.dumps(optimizer.get_config()))
        again = getattr(optimizers, name).from_config(config)
    assert again.get_config() == optimizer.get_config()
    assert again.name == "mine"
    assert again.lr == 0.3
    assert again.clipvalue == 0.5


def test_configurations_are_those_of_keras() -> None:
    legacy_config = legacy.SGD(0.1, momentum=0.9).get_config()
    assert legacy_config == {"name": "SGD", "learning_rate": 0.1, "decay": 0.0, "momentum": 0.9, "nesterov": False}
    newer = experimental.SGD(0.1).get_config()
    assert set(newer) == {
        *("name", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum"),
        *("ema_overwrite_frequency", "jit_compile", "is_legacy_optimizer", "learning_rate", "momentum", "nesterov"),
    }
    assert newer["is_legacy_optimizer"] is False
    brought = SGD.from_config(newer)  # a configuration of the newer classes brings their dialect
    assert brought._rules.epsilon_in_root
    old_nadam = {"name": "Nadam", "learning_rate": 0.1, "decay": 0.004, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    assert legacy.Nadam.from_config(old_nadam).schedule_decay == 0.004


@pytest.mark.parametrize("name", ALL)
def test_names_in_any_case(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        assert type(optimizers.get(spelling)) is getattr(optimizers, name)
    assert optimizers.deserialize(optimizers.serialize(optimizers.get(name))).name == name


def test_get_takes_what_compile_takes() -> None:
    optimizer = SGD()
    assert optimizers.get(optimizer) is optimizer
    assert isinstance(optimizers.get(SGD), SGD)
    assert optimizers.get({"class_name": "sgd", "config": {"learning_rate": 0.5}}).param_groups[0]["lr"] == 0.5
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    assert optimizers.get(theirs) is theirs
    assert optimizers.get("adagrad", dialect="tf.keras").initial_accumulator_value == 0.1  # type: ignore[attr-defined]
    assert optimizers.sgd is SGD
    assert optimizers.rmsprop(0.5).lr == 0.5
    with pytest.raises(ValueError, match="did you mean 'Adam'"):
        optimizers.get("adm")


def test_numbers_that_keras_takes_as_they_stand() -> None:
    v = tk.backend.variable([1.0])
    with pytest.warns(UserWarning, match=r"SGD\(learning_rate=-0.1\): learning_rate is usually a number ≥ 0"):
        climbing = SGD(-0.1)
    climbing.minimize(lambda: 2 * v, [v])
    assert v.numpy() == pytest.approx([1.2])
    with pytest.warns(UserWarning, match=r"weight_decay is usually a number ≥ 0"):
        growing = experimental.SGD(0.1, weight_decay=-0.5)
    growing.minimize(lambda: 0 * v, [v])
    assert v.numpy() == pytest.approx([1.2 * 1.05])
    assert experimental.SGD(ema_momentum=7.0, ema_overwrite_frequency=-1).ema_momentum == 7.0  # without an average
    assert experimental.SGD(use_ema=True, ema_overwrite_frequency=0).ema_overwrite_frequency == 0  # never


def test_averages_replace_the_weights_of_a_model_in_a_loop_of_ones_own() -> None:
    tk.set_dialect("keras-2.15")
    model = tk.Sequential([tk.layers.Conv2D(2, 3, input_shape=(4, 4, 1)), tk.layers.Flatten(), tk.layers.Dense(1)])
    optimizer = tk.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.0)
    before = model.get_weights()
    optimizer.apply_gradients((np.ones(w.shape), w) for w in model.trainable_variables)
    for w in model.trainable_variables:
        w.assign(w * 0)
    optimizer.finalize_variable_values(model.trainable_variables)
    for now, was in zip(model.get_weights(), before):
        np.testing.assert_allclose(now, was - 0.5, rtol=1e-6)


def test_a_legacy_optimizer_stays_one_where_the_newer_ones_are_meant() -> None:
    tk.set_dialect("keras-2.15")
    for name in optimizers.legacy.__all__:
        if name == "Optimizer":
            continue
        written = optimizers.serialize(getattr(optimizers.legacy, name)(0.5))
        assert written["module"] == "keras.optimizers.legacy"
        for config in (written, {key: written[key] for key in ("class_name", "config")}):  # the latter of older files
            for again in (optimizers.deserialize(config), optimizers.get(config)):
                assert again._rules == dialects.TF_KERAS.rules
        assert optimizers.get(optimizers.serialize(getattr(optimizers, name)(0.5)))._rules == dialects.KERAS_2_15.rules


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.5), r"momentum must be a number in \[0, 1\]; got 1.5"),
        (lambda: SGD(clipnorm=1, global_clipnorm=1), "give clipnorm or global_clipnorm, not both"),
        (lambda: SGD(clipvalue=-1), "clipvalue must be a number ≥ 0"),
        (lambda: experimental.SGD(0.01, 0.9, 1e-6), "True or False"),
        (lambda: experimental.SGD(use_ema=True, ema_momentum=2), r"ema_momentum must be a number in \[0, 1\]"),
        (lambda: experimental.SGD(use_ema=True, ema_overwrite_frequency=-1), "a positive integer or None; got -1"),
        (lambda: experimental.SGD(use_ema=True, ema_overwrite_frequency=2.5), "a positive integer or None; got 2.5"),
        (lambda: experimental.Lion(beta_1=1.5), r"beta_1 must be a number in \[0, 1\]"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "learning_rate_power must be a number in"),
        (lambda: SGD("fast"), "learning_rate must be a number"),
        (lambda: SGD(momentun=0.9), "unknown argument; did you mean 'momentum'"),
    ],
)
def test_bad_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


# --- as a torch optimizer


@pytest.mark.parametrize("name", ALL)
def test_it_trains_as_torch_optimizers_do(name: str) -> None:
    model = model_of()
    optimizer = getattr(optimizers, name)()
    optimizer.bind(model.named_parameters())
    before = [p.detach().clone() for p in model.parameters()]
    steps(optimizer, model, 3)
    assert optimizer.iterations == 3
    assert all(not torch.equal(p, b) for p, b in zip(model.parameters(), before))
    assert isinstance(optimizer, torch.optim.Optimizer)


def test_torch_schedulers_drive_the_rate() -> None:
    model = model_of()
    optimizer = SGD(1.0)
    optimizer.bind(model.named_parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    steps(optimizer, model)
    scheduler.step()
    assert optimizer.lr == 0.5
    assert optimizer.scalars(1)["lr"] == 0.5


def test_closure_and_unused_parameters() -> None:
    model = model_of()
    optimizer = SGD(0.1)
    with pytest.raises(RuntimeError, match=r"optimizer\.bind\(model\.named_parameters\(\)\)"):
        optimizer.step()
    optimizer.bind(model.named_parameters())

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.ones(1, 3).mm(model.weight.t()).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    bias = model.bias.detach().clone()
    assert optimizer.step(closure).item() == pytest.approx(closure().item() + 0.1 * 6, abs=1e-5)
    assert torch.equal(model.bias, bias)


@pytest.mark.parametrize("name", ALL)
def test_state_dict_goes_on_where_it_stopped(name: str) -> None:
    first, second = model_of(), model_of()
    one_, other = getattr(optimizers, name)(), getattr(optimizers, name)()
    one_.bind(first.named_parameters())
    steps(one_, first, 3)
    second.load_state_dict(first.state_dict())
    held = other.bind(second.named_parameters()).slots
    other.load_state_dict(one_.state_dict())
    steps(one_, first, 2)
    steps(other, second, 2)
    assert other.iterations == 5
    torch.testing.assert_close(list(first.parameters()), list(second.parameters()), rtol=0, atol=0)
    for slot, tensors in held.items():  # written into, not replaced: views of flat storage stay alive
        assert all(a is b for a, b in zip(tensors, other._slots.bindings[0].slots[slot]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("how", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_with_their_model_go_on_alone(name: str, how: Any) -> None:
    model = model_of()
    optimizer = getattr(legacy, name, getattr(optimizers, name))()
    optimizer.bind(model.named_parameters())
    steps(optimizer, model, 2)
    twin, copied = how((model, optimizer))
    kept = [p.detach().clone() for p in model.parameters()]
    steps(copied, twin, 2)
    assert (optimizer.iterations, copied.iterations) == (2, 4)
    torch.testing.assert_close(list(model.parameters()), kept, rtol=0, atol=0)
    steps(optimizer, model, 2)
    torch.testing.assert_close(list(model.parameters()), list(twin.parameters()), rtol=0, atol=0)


def test_more_parameters_share_the_options() -> None:
    model, more = model_of(), model_of(1)
    optimizer = SGD(0.1)
    optimizer.bind(model.named_parameters())
    optimizer.add_param_group({"params": more.parameters()})
    assert len(optimizer.param_groups[0]["params"]) == 4
    with pytest.raises(ValueError, match="one set of options; got \\['lr'\\]"):
        optimizer.add_param_group({"params": [], "lr": 0.1})


# --- bindings and Keras's own calls


def test_two_models_share_the_counter_and_keep_their_slots() -> None:
    shared = torch.zeros(1)
    optimizer = SGD(1.0, momentum=0.5)
    first = optimizer.bind([("a", shared), ("b", torch.zeros(1))])
    second = optimizer.bind([("a", shared), ("c", torch.zeros(1))])
    first.step([torch.ones(1), torch.ones(1)])
    second.step([torch.ones(1), None])
    assert optimizer.iterations == 2
    assert shared.item() == -2.5
    assert second.slots["momentum"][1].item() == 0.0
    assert first.slots["momentum"][0] is second.slots["momentum"][0]


def test_binding_adopts_views_of_a_flat_tensor() -> None:
    weights = [torch.zeros(2), torch.zeros(3)]
    optimizer = SGD(1.0, momentum=0.5)
    binding = optimizer.bind([("a", weights[0]), ("b", weights[1])])
    binding.step([torch.ones(2), torch.ones(3)])
    flat = torch.zeros(5)
    binding.adopt({"momentum": list(flat.split([2, 3]))})
    assert flat.tolist() == [-1.0] * 5
    binding.step([torch.zeros(2), torch.zeros(3)])
    assert flat.tolist() == [-0.5] * 5


def test_apply_gradients_takes_parameters_and_keras_weights() -> None:
    layer = nn.Linear(3, 2, bias=False)
    kernel = Weight("kernel", layer, ("weight",), TRANSPOSED).variable()
    before = layer.weight.detach().clone()
    optimizer = SGD(1.0)
    gradient = torch.arange(6.0).reshape(3, 2)  # Keras's layout
    assert optimizer.apply_gradients(zip([gradient], [kernel])) == 1
    torch.testing.assert_close(layer.weight.detach(), before - gradient.t())
    with pytest.warns(UserWarning, match="1 weights have no gradient"):
        optimizer.apply_gradients([(torch.ones(2, 3), layer.weight), (None, torch.zeros(1))])
    with pytest.raises(ValueError, match="no gradient was given for any weight"):
        optimizer.apply_gradients([(None, layer.weight)])


def test_get_gradients_clips() -> None:
    weight, idle = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    assert SGD(clipvalue=0.5).get_gradients(3 * weight.sum(), [weight])[0].item() == 0.5
    with pytest.raises(ValueError, match="does not depend on 1 of the 2"):
        SGD().get_gradients(weight.sum(), [weight, idle])


def test_symbolic_calls_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="apply_gradients"):
        SGD().get_updates(None, [])


def shapes_of(optimizer: Any, codecs: Any = None) -> list[tuple[int, ...]]:
    optimizer.bind([("a", torch.zeros(2, 3)), ("b", torch.zeros(3))], codecs)
    return [w.shape for w in optimizer.get_weights()]


def test_stored_weights_are_in_the_order_of_keras() -> None:
    a, b = (2, 3), (3,)
    assert shapes_of(SGD()) == [(), a, b]  # classic files hold the moments even without momentum
    assert shapes_of(legacy.SGD()) == [()]
    assert shapes_of(Adam()) == [(), a, b, a, b, (1,), (1,)]
    assert shapes_of(legacy.Adam(amsgrad=True)) == [(), a, b, a, b, a, b]
    assert shapes_of(experimental.Adam(amsgrad=True)) == [(), a, a, b, b, a, b]
    assert shapes_of(legacy.Nadam()) == [(), (), a, b, a, b]
    assert shapes_of(experimental.Nadam()) == [(), a, a, b, b]
    assert shapes_of(legacy.Ftrl()) == [(), a, a, b, b]
    assert shapes_of(experimental.SGD(momentum=0.9, use_ema=True)) == [(), a, b, a, b]
    assert shapes_of(experimental.Adafactor()) == [(), (2,), (3,), a, b]
    assert shapes_of(legacy.Adam(), {"a": TRANSPOSED}) == [(), (3, 2), b, (3, 2), b]


@pytest.mark.parametrize("module", [optimizers, legacy, experimental])
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam", "Ftrl"])
def test_stored_weights_come_back(module: Any, name: str) -> None:
    first, second = model_of(), model_of()
    one_, other = getattr(module, name)(), getattr(module, name)()
    one_.bind(first.named_parameters(), {"weight": TRANSPOSED})
    steps(one_, first, 3)
    second.load_state_dict(first.state_dict())
    other.bind(second.named_parameters(), {"weight": TRANSPOSED})
    other.set_weights(one_.get_weights())
    steps(one_, first, 2)
    steps(other, second, 2)
    assert other.iterations == 5
    torch.testing.assert_close(list(first.parameters()), list(second.parameters()), rtol=1e-6, atol=1e-7)
    assert len(other.variables()) == len(other.weights) == len(other.get_weights())


def test_wrong_weights_change_nothing() -> None:
    optimizer = legacy.Adam()
    optimizer.bind([("a", torch.zeros(2, 3))])
    with pytest.raises(ValueError, match="set_weights needs 3 arrays; got 5"):
        optimizer.set_weights([np.zeros(())] * 5)
    with pytest.raises(ValueError, match=r"slot 'v' has shape \(2, 3\); got ndarray of shape|slot 'v' has shape"):
        optimizer.set_weights([np.array(7), np.ones((2, 3)), np.ones((3, 2))])
    assert optimizer.iterations == 0
    assert optimizer.get_weights()[1].sum() == 0
    optimizer.set_weights([np.ones((2, 3)), np.ones((2, 3))])  # files of Keras before 2.3 have no counter
    assert optimizer.get_weights()[1].sum() == 6


def test_some_weights_left_out_of_the_decay() -> None:
    kernel, bias = torch.ones(1), torch.ones(1)
    optimizer = experimental.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.bind([("kernel", kernel), ("bias", bias)]).step([torch.zeros(1), torch.zeros(1)])
    assert (kernel.item(), bias.item()) == (0.5, 1.0)
    assert optimizer.needs_each
    assert not experimental.SGD(weight_decay=0.5).needs_each


def test_average_replaces_the_weights_at_the_end() -> None:
    weight = torch.zeros(1)
    optimizer = experimental.SGD(1.0, use_ema=True, ema_momentum=0.5)
    binding = optimizer.bind([("w", weight)])
    binding.step([torch.ones(1)])
    assert weight.item() == -1.0
    optimizer.finalize_variable_values([weight])
    assert weight.item() == -0.5


@pytest.mark.parametrize("name", ALL)
def test_strided_weights_get_the_same_step(name: str) -> None:
    """Convolution weights live in channels_last; the fused kernels must not walk them as if they were contiguous."""
    torch.manual_seed(0)
    plain, grad = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
    strided = plain.clone().contiguous(memory_format=torch.channels_last)
    for weight in (plain, strided):
        getattr(optimizers, name)().bind([("w", weight)]).step([grad.clone()])
    torch.testing.assert_close(plain, strided)


def test_half_precision_weights_train() -> None:
    weight = torch.ones(4, dtype=torch.bfloat16)
    Adam(0.5).bind([("w", weight)]).step([torch.ones(4, dtype=torch.bfloat16)])
    torch.testing.assert_close(weight.float(), torch.full((4,), 0.5), rtol=1e-2, atol=0)


def test_every_class_is_registered() -> None:
    assert set(ALL) <= set(registry.names("optimizer"))
