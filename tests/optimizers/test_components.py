"""The parts of an optimizer, each alone: beside a stand-in where it needs an optimizer."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

import torchkeras_compat as keras
from torchkeras_compat._core import dialects
from torchkeras_compat._core.graph_capture import as_capture
from torchkeras_compat._core.weights import TRANSPOSED
from torchkeras_compat.optimizers import schedules, weight_average
from torchkeras_compat.optimizers.clipping import Clipping
from torchkeras_compat.optimizers.hyperparameters import Hyperparameters
from torchkeras_compat.optimizers.learning_rate import LearningRate
from torchkeras_compat.optimizers.slot_variables import SlotNames
from torchkeras_compat.optimizers.slots import ListGroup, SlotTable, gather_reached, name_parameters
from torchkeras_compat.optimizers.sparse_rows import PendingDecay, SparseRows, SparseRule
from torchkeras_compat.optimizers.weight_decay import WeightDecay
from torchkeras_compat.optimizers.weight_io import WeightIO


class Owner:
    """An optimizer that writes down what it is asked for: `w ← w − lr · g`, and one slot, a sum of gradients."""

    slot_names = ("sum",)
    name, always_interleaved = "owner", False
    mean_slots: ClassVar[frozenset[str]] = frozenset()
    keras_slots: ClassVar[dict[str, SlotNames]] = {"sum": SlotNames("total", "_totals")}
    clipping, weight_decay, use_ema = Clipping(), None, False
    elementwise = True
    parts: ClassVar[dict[Tensor, int]] = {}

    def __init__(self, rule: SparseRule | None = None) -> None:
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        self.param_groups: list[dict[str, Any]] = [{"params": []}]
        self._rules = dialects.named("keras-2.15").rules
        self._iterations = 0
        self.calls: list[int] = []
        self.rule = rule or SparseRule()
        self.table = SlotTable(self)

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        return torch.zeros_like(param)

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        self.state.setdefault(param, {})
        return self.table.of(param, self.slot_names)

    def slots_of_each(self, params: Any) -> dict[str, list[Tensor]]:
        return {"sum": [self.slots_of(param)["sum"] for param in params]}

    def update(self, params: Any, grads: Any, slots: Any, scalars: Any) -> None:
        self.calls.append(len(params))
        self._update(params, grads, slots, scalars)

    def _update(self, params: Any, grads: Any, slots: Any, scalars: Any) -> None:
        for param, grad, total in zip(params, grads, slots["sum"]):
            total *= self.rule.decays.get("sum", 1.0)
            total += grad
            param -= scalars["lr"] * grad

    def step_groups(self, gradients: Any, scalars: Any = None) -> None:
        for group, grads in gradients:
            group.step(grads, {"lr": 1.0})

    def _sparse_rule(self) -> SparseRule:
        return self.rule

    def _whole(self, param: Tensor) -> Any:
        return self.table.whole(param)

    def _weight_name(self, param: Tensor) -> str:
        return self.table.weight_name(param)

    def _file_groups(self) -> Any:
        return (("sum",),)

    def _has_slot(self, name: str, param: Tensor) -> bool:
        return True

    def _idle_slot(self, name: str, param: Tensor) -> Tensor:
        return torch.zeros_like(param)

    def _extra_state(self) -> list[Any]:
        return []

    def _set_extra_state(self, values: Any) -> None:
        assert not values

    def _surplus(self, count: int, order: Any) -> bool:
        return False


# --- hyperparameters and learning rate


def test_a_revision_is_a_change_of_formulas() -> None:
    asked: list[int] = []
    told = Hyperparameters(before_change=lambda: asked.append(told.revision))
    told.set_number("momentum", 0.0)
    assert (told.revision, told.in_use, asked) == (0, set(), [])
    told.set_number("momentum", 0.9)
    told.set_number("momentum", 0.5)
    told.set_number("momentum", 0.5)
    assert (told.revision, told.in_use, asked) == (1, {"momentum"}, [0, 1])
    told.set_option("nesterov", False)
    told.set_option("nesterov", False)
    assert (told.revision, asked) == (2, [0, 1])
    told.set_option("weight_decay", 0.1)
    told.set_option("weight_decay", 0.2)  # each step reads it: the formulas are the same
    assert (told.revision, asked) == (3, [0, 1, 3])
    assert (told.numbers, told.options) == ({"momentum": 0.5}, {"nesterov": False, "weight_decay": 0.2})


def test_the_rate_stands_in_the_group_of_torch() -> None:
    group: dict[str, Any] = {}
    rate = LearningRate("SGD", group)
    rate.set(0.5, 0)
    group["lr"] = 0.25  # as torch's schedulers do
    assert rate.current(7) == 0.25
    assert rate.of_step(4, decay=0.5) == 0.25 / 3
    rate.set({"class_name": "ExponentialDecay", "config": schedules.ExponentialDecay(1.0, 1, 0.5).get_config()}, 1)
    assert group["lr"] == 0.5
    assert rate.of_step(2, decay=0.0) == group["lr"] == 0.25
    asked = iter([0.1, 0.2])
    rate.set(lambda: next(asked), 0)
    assert (group["lr"], rate.of_step(0, 0.0), group["lr"]) == (0.1, 0.2, 0.2)
    with pytest.warns(UserWarning, match=r"SGD.*learning_rate is usually a number ≥ 0; it is taken as it stands"):
        rate.set(-1, 0)
    assert group["lr"] == -1.0  # gradient ascent, as in Keras


# --- clipping

NONE = {"clipnorm": None, "clipvalue": None, "global_clipnorm": None}


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("keras-2.3", (("global_clipnorm", 1.0), ("clipvalue", 0.5))),
        ("tf.keras", (("clipvalue", 0.5), ("clipnorm", 1.0))),
        ("keras-2.15", (("clipnorm", 1.0),)),
    ],
)
def test_clippings_of_a_dialect(dialect: str, expected: Any) -> None:
    options = {**NONE, "clipnorm": 1.0, "clipvalue": 0.5}
    found = Clipping.of(options, dialects.named(dialect).rules)
    assert found.limits == expected
    assert found == Clipping.of(dict(options), dialects.named(dialect).rules)
    assert found.needs_each is ("clipnorm" in found.names)
    assert not Clipping.of(NONE, dialects.named(dialect).rules).limits


@pytest.mark.parametrize("name", ["clipvalue", "clipnorm", "global_clipnorm"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_clipping_makes_new_gradients(name: str, kind: torch.dtype) -> None:
    """Gradients of autograd may be one tensor for two parameters: nothing is written into."""
    shared = torch.tensor([3.0, -4.0], dtype=kind)
    grads = [shared, shared, torch.tensor([0.25], dtype=kind)]
    found = Clipping(((name, 1.0),))(grads)
    arrays = [g.float().numpy() for g in grads]
    norm = np.sqrt(sum((a**2).sum() for a in arrays)) if name == "global_clipnorm" else None
    for array, got in zip(arrays, found):
        if name == "clipvalue":
            expected = np.clip(array, -1, 1)
        else:
            length = np.sqrt((array**2).sum()) if norm is None else norm
            expected = array / max(length, 1.0)
        np.testing.assert_allclose(got.float().numpy(), expected, rtol=1e-2 if kind == torch.bfloat16 else 1e-6)
        assert got.dtype == kind
    assert shared.tolist() == [3.0, -4.0]


def test_clipping_goes_over_all_groups_together() -> None:
    clipping = Clipping((("global_clipnorm", 1.0),))
    found = clipping.together([("a", [torch.tensor([3.0])]), ("b", [torch.tensor([4.0]), torch.zeros(2)]), ("c", [])])
    assert [(name, [g.tolist() for g in grads]) for name, grads in found] == [
        ("a", [[pytest.approx(0.6)]]),
        ("b", [[pytest.approx(0.8)], [0.0, 0.0]]),
        ("c", []),
    ]
    assert clipping([]) == []


# --- weight decay


def test_names_leave_weights_out_of_the_decay() -> None:
    decay, kernel, bias = WeightDecay(), torch.ones(2), torch.ones(2)
    decay.apply([kernel, bias], 0.5)
    assert not decay.by_parameter
    decay.excluded_names = ["bias"]
    decay.note_names([("dense/kernel", kernel), ("dense/bias", bias)])
    assert decay.by_parameter
    decay.apply([kernel, bias], 0.5)
    decay.apply([bias], 0.0)
    assert (kernel.tolist(), bias.tolist()) == ([0.25, 0.25], [0.5, 0.5])


def test_the_average_replaces_the_weights_every_second_step() -> None:
    weight, average = torch.zeros(1), torch.zeros(1)
    seen = []
    for iteration in range(4):
        weight += 8.0
        scalars = weight_average.average_scalars(0.75, 2, iteration)
        weight_average.follow([average], [weight], scalars, 2)
        seen.append((weight.item(), average.item()))
    assert seen == [(8.0, 2.0), (5.5, 5.5), (13.5, 7.5), (11.0, 11.0)]
    assert weight_average.average_scalars(0.75, None, 1)["overwrite"] == 0.0
    weight_average.replace_by_averages([weight, torch.zeros(1)], {weight: {"average": torch.ones(1)}})
    assert weight.item() == 1.0


# --- slots and groups


def test_slots_follow_their_parameter() -> None:
    owner, param = Owner(), torch.nn.Parameter(torch.zeros(2))
    slot = owner.slots_of(param)["sum"]
    assert owner.slots_of(param)["sum"] is slot
    param.data = param.data.double()
    assert owner.slots_of(param)["sum"].dtype == torch.float64


def test_a_list_group_steps_what_has_a_gradient() -> None:
    owner = Owner()
    params = [torch.zeros(2), torch.zeros(3), torch.zeros(1)]
    group = ListGroup(owner, params)
    owner.step_groups(group.gather([torch.ones(2), torch.ones(3), torch.ones(1)]))
    owner.step_groups(group.gather([None, torch.ones(3), None]))
    assert owner.calls == [3, 1]
    assert [p.tolist() for p in params] == [[-1, -1], [-2, -2, -2], [-1]]
    assert group.slots["sum"][1].tolist() == [2, 2, 2]
    assert group.gather([None, None, None]) == gather_reached(owner, params, [None] * 3) == []
    assert group.valid()
    places, gradients = group.places()
    for place in places:
        place.fill_(3.0)
    owner.step_groups(gradients)
    assert params[2].tolist() == [-4]
    owner.state[params[0]]["sum"] = torch.zeros(2)
    assert not group.valid()


def test_a_captured_list_is_stepped_tensor_by_tensor() -> None:
    owner = Owner()
    params = [torch.zeros(2), torch.zeros(3)]
    with as_capture():
        owner.step_groups(ListGroup(owner, params).gather([torch.ones(2), torch.ones(3)]))
    assert owner.calls == [1, 1]
    assert [p.tolist() for p in params] == [[-1, -1], [-1, -1, -1]]


def test_a_binding_that_covers_another_replaces_it() -> None:
    owner = Owner()
    a, b, c = torch.zeros(2, 3), torch.zeros(1), torch.zeros(1)
    small = owner.table.bind([("a", a)], {"a": TRANSPOSED})
    large = owner.table.bind([("a", a), ("b", b), ("a again", a)], {"a": TRANSPOSED})
    assert owner.table.bindings == [large]
    assert large.covers(small)
    assert not small.covers(large)
    assert (large.names, len(large.params)) == (["a", "b"], 2)
    assert owner.table.codec(a) is TRANSPOSED
    assert owner.table.codec(c) is None
    large.step([None, torch.ones(1)])
    assert (b.item(), a.sum().item()) == (-1.0, 0.0)


def test_replaced_slots_are_written_into_those_that_stood() -> None:
    owner, param = Owner(), torch.zeros(2)
    slot = owner.slots_of(param)["sum"]
    with owner.table.in_place():
        owner.state = {param: {"sum": torch.ones(2)}}
    assert owner.state[param]["sum"] is slot
    assert slot.tolist() == [1.0, 1.0]


def test_equal_paths_get_names_of_their_own() -> None:
    import torchkeras_compat as keras

    layers = [keras.layers.Dense(1, input_shape=(2,), name="d"), keras.layers.Dense(1, input_shape=(2,), name="d")]
    for layer in layers:
        layer.build((None, 2))
    table = [weight for layer in layers for weight in layer._table]
    known = table[1].parameters
    named, codecs = name_parameters(table, known)
    assert list(named) == ["d/kernel:0", "d/kernel:0#2", "d/bias:0"]
    assert all(a is b for a, b in zip(named.values(), (p for w in (table[0], *table[2:]) for p in w.parameters)))
    assert list(codecs) == list(named)


# --- rows of a table


def test_rows_catch_up_when_they_are_touched_or_settled() -> None:
    """`s ← .5 s + g`: a row that was missed k times holds .5ᵏ of what it had."""
    owner = Owner(SparseRule(rests=True, decays={"sum": 0.5}))
    sparse, weight = SparseRows(owner), torch.zeros(3, 1)
    slots, pending = owner.slots_of(weight), sparse.pending(weight)
    assert sparse.lazy
    assert sparse.decay
    assert not sparse.stay
    assert not sparse.adds_gradient

    def step(touched: list[int]) -> None:
        rows = torch.tensor(touched)
        sparse.update(weight, rows, torch.ones(len(touched), 1), slots, pending, {"lr": 1.0})

    step([0, 1, 2])
    step([0])
    step([0, 1])
    assert slots["sum"].flatten().tolist() == [1.0 + 0.5 * 1.5, 1.25, 1.0]  # row 2 was missed twice
    sparse.settle_params([torch.zeros(1)])
    assert pending.paid == 0
    sparse.settle_params([torch.zeros(1), weight])
    assert slots["sum"].flatten().tolist() == [1.75, 1.25, 0.25]
    assert sparse.pending(weight) is pending
    sparse.settle()
    assert slots["sum"].flatten().tolist() == [1.75, 1.25, 0.25]


def test_pending_decay_is_paid_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchkeras_compat.optimizers.sparse_rows.PAID_AT_ONCE", 2)
    account = PendingDecay(torch.zeros(5, 2))
    account.slots, account.decays = {"s": torch.ones(5, 2)}, {"s": 0.5}
    account.steps = 3
    account.last_seen[:] = torch.arange(5)
    account.apply()
    assert account.slots["s"][:, 0].tolist() == [0.125, 0.25, 0.5, 1.0, 1.0]
    assert account.last_seen.tolist() == [3] * 5


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda rows: pickle.loads(pickle.dumps(rows))])
def test_a_copy_owes_nothing(copied: Any) -> None:
    owner = Owner(SparseRule(rests=True, decays={"sum": 0.5}))
    sparse, weight = SparseRows(owner), torch.zeros(2, 1)
    account = sparse.pending(weight)
    sparse.update(weight, torch.tensor([0]), torch.ones(1, 1), owner.slots_of(weight), account, {"lr": 1.0})
    twin = copied(sparse)
    assert account.paid == account.steps == 1
    assert twin._pending == {}


# --- state in Keras's order


def test_state_comes_and_goes_in_the_layout_of_the_weights() -> None:
    owner, kernel, bias = Owner(), torch.zeros(2, 3), torch.zeros(2)
    owner.table.bind([("k", kernel), ("b", bias)], {"k": TRANSPOSED})
    owner.param_groups[0]["params"] = [kernel, bias]
    files = WeightIO(owner)
    assert [a.shape for a in files.arrays()] == [(), (3, 2), (2,)]
    written = [np.array(7), np.arange(6.0).reshape(3, 2), np.ones(2)]
    files.set_arrays(written)
    assert owner._iterations == 7
    assert owner.slots_of(kernel)["sum"].tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
    for got, expected in zip(files.arrays(), written):
        np.testing.assert_array_equal(got, expected)
    with pytest.raises(ValueError, match=r"owner: slot 'sum' has shape \(2,\); got"):
        files.set_arrays([np.array(9), np.zeros((3, 2)), np.zeros(3)])
    assert owner._iterations == 7
    assert [place.name for place in files.order()] == ["sum", "sum"]
    kernel_sum, bias_sum = files.tensors()
    assert [kernel_sum.name, bias_sum.name] == ["owner/total/k:0", "owner/total/b:0"]
    kernel_sum.assign(np.ones((3, 2)))
    bias_sum.assign([5.0, 6.0])
    assert owner.slots_of(kernel)["sum"].tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    assert owner.slots_of(bias)["sum"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adafactor"])
def test_the_slots_of_a_weight_of_two_parameters_are_one_array(name: str) -> None:
    """The bias of a GRU is `(2, 3 * units)` in Keras, and so are its slots in files; torch has two vectors."""
    keras.set_dialect("keras-2.15")
    model = keras.Sequential([keras.layers.GRU(2, input_shape=(5, 3))])
    options = {"momentum": 0.9} if name == "SGD" else {}
    model.compile(getattr(keras.optimizers, name)(**options), "mse")
    x, y = np.random.RandomState(0).rand(4, 5, 3), np.zeros((4, 2))
    model.train_on_batch(x, y)
    state = model.optimizer.get_weights()
    per_weight = {"SGD": 1, "Adam": 2, "RMSprop": 1, "Adafactor": 3}[name]
    assert len(state) == 1 + 3 * per_weight  # Keras 2.15: the counter, and each slot of three weights
    assert any(array.shape == (2, 6) for array in state)
    if name == "Adafactor":
        assert [array.shape for array in state[7:]] == [(2,), (6,), (2, 6)]  # as Keras 2.15 has them
    other = keras.models.clone_model(model)
    other.compile(getattr(keras.optimizers, name)(**options), "mse")
    other.set_weights(model.get_weights())
    other.optimizer.build(other.trainable_variables)
    other.optimizer.set_weights(state)
    for _ in range(3):
        assert model.train_on_batch(x, y) == other.train_on_batch(x, y)
    for ours, theirs in zip(model.optimizer.get_weights(), other.optimizer.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
