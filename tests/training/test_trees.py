"""Trees of data: x, y and weights of several inputs and outputs, in the forms that Keras takes.

The data side is shown alone, by a model that has two inputs and two outputs and computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

import torchkeras_compat as keras
from torchkeras_compat import layers, losses
from torchkeras_compat._core.dialects import Rules
from torchkeras_compat._core.shapes import Shape, compatible
from torchkeras_compat.training.data import arrays as arrays_module
from torchkeras_compat.training.data.arrays import ArrayData
from torchkeras_compat.training.data.batch import Batch
from torchkeras_compat.training.data.convert import joined_predictions, predictions
from torchkeras_compat.training.data.feeding import Feeder
from torchkeras_compat.training.data.signature import ModelInput, ModelOutput, Signature
from torchkeras_compat.training.deprecated import validation_arrays

sp = pytest.importorskip("scipy.sparse")

N = 12
A = np.arange(2.0 * N, dtype="float32").reshape(N, 2)
B = np.arange(3 * N).reshape(N, 3)
P = np.arange(float(N), dtype="float32")[:, None]
Q = np.arange(N) % 3
W = np.arange(float(N), dtype="float32")
V = W + 100


@dataclass
class Model:
    """Two inputs, `a` of floats and `b` of indices, and two outputs, `p` of a mean squared error and `q` of classes."""

    name: str = "two"
    stateful: bool = False
    built: bool = True
    loss: Any = "mse"
    device: str = "cpu"
    batch_size: int | None = None
    _rules: Rules = field(default_factory=Rules)
    inputs: Any = (("a", (None, 2), False), ("b", (None, 3), True))
    outputs: Any = (
        ModelOutput("p", (None, 1), losses.mean_squared_error),
        ModelOutput("q", (None, 3), losses.sparse_categorical_crossentropy, keeps_integers=True),
    )
    targets: list[Any] = field(default_factory=list)
    warned: int = 0

    def __str__(self) -> str:
        return f"Model '{self.name}'"

    def _waits_for_batch(self, has_own_steps: bool) -> bool:
        return not self.built

    def _build_by(self, inputs: Any) -> None:
        raise AssertionError("it is built")

    def _signature(self) -> Signature:
        inputs = self.inputs and [ModelInput(*slot) for slot in self.inputs]
        return Signature(self, torch.device(self.device), torch.float32, inputs, self.batch_size)

    def _fitted(self, x: Tensor, index: int) -> Tensor:
        if not compatible(self.inputs[index][1], x.shape):
            raise ValueError(f"must have shape {self.inputs[index][1]}; got {tuple(x.shape)}")
        return x

    def _model_outputs(self) -> Sequence[ModelOutput] | None:
        return self.outputs  # type: ignore[no-any-return]

    def _resolve_metrics(self, targets: Sequence[Shape | None]) -> None:
        self.targets.append([None if shape is None else tuple(shape) for shape in targets])

    def _warn_before_training(self) -> None:
        self.warned += 1


def one_batch(x: Any, y: Any = (P, Q), weight: Any = None, model: Any = None, **options: Any) -> Batch:
    return Feeder(model or Model()).one_batch("train_on_batch", x, y, weight, **options)


def trained(x: Any, y: Any = None, weight: Any = None, model: Any = None, **options: Any) -> Any:
    settings = {
        "class_weight": None, "batch_size": 5, "shuffle": False, "steps": None, "validation_split": 0.0,
        "validation_data": None, "validation_batch_size": None, "validation_steps": None,
    }  # fmt: skip
    return Feeder(model or Model()).training(x, y, weight, **{**settings, **options})


def read(data: Any, **options: Any) -> list[Batch]:
    return list(data.epoch(**options))


def same(tree: Any, *expected: Any) -> None:
    assert isinstance(tree, list)
    assert len(tree) == len(expected)
    for tensor, array in zip(tree, expected):
        if array is None:
            assert tensor is None
        else:
            np.testing.assert_array_equal(tensor.numpy(), array)


# --- what users give -----------------------------------------------------------------------------------------------


def group() -> Any:
    file = h5py.File("trees", "w", driver="core", backing_store=False)
    file["b"], file["a"] = B, A
    return file


INPUTS: dict[str, Callable[[], Any]] = {
    "list": lambda: [A, B],
    "tuple": lambda: (A, B),
    "dictionary": lambda: {"b": B, "a": A},
    "lists of numbers": lambda: [A.tolist(), B.tolist()],
    "lists of rows": lambda: [list(A), list(B)],
    "tensors": lambda: {"a": torch.from_numpy(A), "b": torch.from_numpy(B)},
    "frames": lambda: [pd.DataFrame(A), pd.DataFrame(B)],
    "sparse": lambda: [sp.csr_matrix(A), B],
    "sparse indices": lambda: {"a": A, "b": sp.coo_matrix(B)},
    "lists of one array": lambda: [[A], {"b": B}],
    "a file of arrays": group,
    "float64": lambda: (A.astype("float64"), B.astype("float64")),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_inputs(kind: str) -> None:
    batch = one_batch(INPUTS[kind]())
    same(batch.x, A, B)
    assert [t.dtype for t in batch.x] == [torch.float32, torch.int64]
    assert batch.size == N
    data = trained(INPUTS[kind](), [P, Q]).data
    assert (data.n, data.steps, data.sample) == (N, 3, [(2,), (3,)])
    for i, part in enumerate(read(data)):
        same(part.x, A[5 * i : 5 * i + 5], B[5 * i : 5 * i + 5])
        same(part.y, P[5 * i : 5 * i + 5], Q[5 * i : 5 * i + 5])


TARGETS: dict[str, Any] = {
    "list": [P, Q],
    "tuple": (P, Q),
    "dictionary": {"q": Q, "p": P},
    "vectors": [P[:, 0], Q[:, None]],
    "lists": [P.tolist(), Q.tolist()],
    "series": {"p": pd.Series(P[:, 0]), "q": pd.Series(Q)},
    "lists of one array": [[P], [Q]],
}


@pytest.mark.parametrize("kind", TARGETS)
def test_targets(kind: str) -> None:
    model = Model()
    batch = one_batch([A, B], TARGETS[kind], model=model)
    same(batch.y, P, Q)
    assert [t.dtype for t in batch.y] == [torch.float32, torch.int64]
    assert model.targets == [[(N, 1), (N,)]]


def test_one_array_is_the_target_of_every_output() -> None:
    twins = Model(outputs=(ModelOutput("p", (None, 1), losses.mse), ModelOutput("q", (None, 1), losses.mae)))
    same(one_batch([A, B], P, model=twins).y, P, P)
    same(one_batch([A, B], P[:, 0].tolist(), model=twins).y, P, P)


FREE = (ModelOutput("p", (None, 1), losses.mse), ModelOutput("q", (None, 3), None, uses_targets=False))


@pytest.mark.parametrize("y", [[P, Q], [P, None], [P], {"p": P}, {"p": P, "q": Q}, {"p": P, "q": None}, P])
def test_targets_of_an_output_without_a_loss_are_left_out(y: Any) -> None:
    same(one_batch([A, B], y, model=Model(outputs=FREE)).y, P, None)
    same(one_batch([A, B], y, W, model=Model(outputs=FREE)).weight, W, None)


def test_targets_that_only_a_metric_looks_at() -> None:
    outputs = (FREE[0], ModelOutput("q", (None, 3), None, uses_targets=True))
    same(one_batch([A, B], [P, Q.astype("float32")], model=Model(outputs=outputs)).y, P, Q)
    same(one_batch([A, B], {"p": P}, model=Model(outputs=outputs)).y, P, None)


WEIGHTS: list[tuple[Any, Any]] = [
    (W, (W, W)),
    (W.tolist(), (W, W)),
    ([W, V], (W, V)),
    ((W, V[:, None]), (W, V)),
    ({"q": V, "p": W}, (W, V)),
    ({"p": W}, (W, None)),
    ({"p": None, "q": V}, (None, V)),
    ([None, V], (None, V)),
    (pd.Series(W), (W, W)),
]


@pytest.mark.parametrize(("weight", "expected"), WEIGHTS, ids=[str(i) for i in range(len(WEIGHTS))])
@pytest.mark.parametrize("y", [[P, Q], {"p": P, "q": Q}])
def test_sample_weights(weight: Any, expected: Any, y: Any) -> None:
    same(one_batch([A, B], y, weight).weight, *expected)
    parts = read(trained([A, B], y, weight).data)
    for leaf, array in enumerate(expected):
        leaves = [part.weight[leaf] for part in parts]
        if array is None:
            assert leaves == [None] * 3
        else:
            np.testing.assert_array_equal(torch.cat(leaves).numpy(), array)


def test_no_weights() -> None:
    for weight in (None, {}, [None, None]):
        assert one_batch([A, B], [P, Q], weight).weight is None


SHARES = {0: 1.0, 1: 2.0, 2: 4.0}
BY_CLASS = np.array([SHARES[c] for c in Q], "float32")


@pytest.mark.parametrize("share", [{"q": SHARES}, [None, SHARES], {"p": None, "q": SHARES}])
def test_class_weights_by_output(share: Any) -> None:
    same(one_batch([A, B], class_weight=share).weight, None, BY_CLASS)
    same(one_batch([A, B], [P, Q], [W, W], class_weight=share).weight, W, W * BY_CLASS)
    same(one_batch([A, B], [P, Q], {"p": W}, class_weight=share).weight, W, BY_CLASS)
    (batch,) = read(trained((([A, B], [P, Q]) for _ in range(1)), class_weight=share).data)
    same(batch.weight, None, BY_CLASS)


def test_balanced_classes_of_one_output() -> None:
    same(one_batch([A, B], class_weight={"q": "balanced"}).weight, None, np.ones(N))


# --- what is wrong -------------------------------------------------------------------------------------------------

BOTH, TARGET = [A, B], [P, Q]
# What is wrong → x, y and weights, and the message.
ERRORS: dict[str, tuple[Any, Any, Any, str]] = {
    "one array": (
        *(A, TARGET, None),
        r"x: Model 'two' has 2 inputs, 'a' of shape \(None, 2\) and 'b' of .*; got one array of shape \(12, 2\)",
    ),
    "one array in a list": ([A], TARGET, None, r"2 inputs, .*; got a list of 1 arrays of shapes \[\(12, 2\)\]"),
    "three arrays": ([A, B, B], TARGET, None, r"2 inputs, .*; got a list of 3 arrays"),
    "an input left out": ({"b": B}, TARGET, None, r"x: the input 'a' of .* gets no array; got the keys \['b'\]"),
    "a name misspelled": ({"b": B, "A": A}, TARGET, None, r"x: the input 'a' .* Write 'a' for 'A'\?"),
    "None": ([A, None], TARGET, None, r"x: the input 'b' .* gets no array"),
    "two arrays for one": ([[A, A], B], TARGET, None, r"x\[0\]: the input 'a' .* takes one array; got a list"),
    "text in one": ({"a": np.array(list("ab") * 6), "b": B}, TARGET, None, r"x\['a'\] must hold numbers"),
    "text in a list": ([A, np.array(["1"] * 12)], TARGET, None, r"np.asarray\(x\[1\]\).astype"),
    "an empty one": ([A, B[:0]], TARGET, None, r"x\[1\] is empty"),
    "another shape": ([A, A], TARGET, None, r"must have shape \(None, 3\)"),
    "inputs of other lengths": (
        [A, B[:5]],
        TARGET,
        None,
        r"x\['a'\] and x\['b'\] must have as many rows; got 12 and 5",
    ),
    "targets of other lengths": (BOTH, [P, Q[:5]], None, r"x\['a'\] and y\['q'\] must have as many rows; got 12 and 5"),
    "both": ([A, B[:4]], [P, Q[:5]], None, r"x\['a'\], x\['b'\] and y\['q'\] must .*; got 12, 4 and 5"),
    "weights of other lengths": (BOTH, TARGET, {"q": W[:5]}, r"x\['a'\] and sample_weight\['q'\] must .* 12 and 5"),
    "three targets": (BOTH, [P, Q, Q], None, r"y: Model 'two' has 2 outputs, 'p' .* and 'q' .*; got a list of 3"),
    "one target in a list": (BOTH, [P], None, r"2 outputs, .*; got a list of 1"),
    "a target left out": (
        BOTH,
        {"p": P},
        None,
        r"y: the output 'q' of .* has a loss and no target; got the keys \['p'\]",
    ),
    "a target of None": (BOTH, [None, Q], None, r"y: the output 'p' .* has a loss and no target"),
    "an unknown output": (BOTH, {"p": P, "Q": Q}, None, r"y: Model 'two' has no output 'Q'; did you mean 'q'"),
    "classes out of range": (BOTH, [P, Q + 1], None, r"for the output 'q' .*: class index 3"),
    "weights of nobody": (BOTH, TARGET, {"r": W}, r"sample_weight: Model 'two' has no output 'r'; known are: p, q"),
    "three weights": (BOTH, TARGET, [W, W, W], r"sample_weight: Model 'two' has 2 outputs"),
    "one weight in a list": (BOTH, TARGET, [W], r"sample_weight: Model 'two' has 2 outputs"),
    "weights of time steps": (BOTH, TARGET, {"q": np.ones((N, 4))}, r"does not fit the output 'q' of shape"),
}
SHARE_ERRORS = [
    (SHARES, r"does not say for which of the outputs 'p' and 'q' of Model 'two' it is; write class_weight={'q'"),
    ("balanced", r"does not say for which of the outputs|a dictionary {class: weight} with a generator"),
    ({"qq": SHARES}, r"class_weight: Model 'two' has no output 'qq'; .*'q'"),
    ({"p": {0: 1}}, r"class_weight has no weight for the classes"),
]


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    x, y, weight, message = ERRORS[name]
    with pytest.raises((ValueError, TypeError), match=message):
        one_batch(x, y, weight)
    with pytest.raises((ValueError, TypeError), match=message):
        trained(x, y, weight)
    with pytest.raises((ValueError, TypeError), match=message):
        read(trained((x, y, weight) for _ in range(1)).data)


@pytest.mark.parametrize(("share", "message"), SHARE_ERRORS)
def test_class_weight_errors(share: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        one_batch(BOTH, TARGET, class_weight=share)
    with pytest.raises(ValueError, match=message):
        read(trained(((BOTH, TARGET) for _ in range(1)), class_weight=share).data)


def test_no_targets() -> None:
    with pytest.raises(ValueError, match=r"^train_on_batch\(y=None\): y is missing"):
        one_batch(BOTH, None)
    with pytest.raises(ValueError, match=r"^fit\(y=None\): y is missing"):
        trained(BOTH)


def test_extra_inputs_are_left_out_with_a_warning() -> None:
    x = {"a": A, "b": B, "c": A}
    with pytest.warns(UserWarning, match=r"x: Model 'two' has no input 'c'; it is left out. .*'a' and 'b'") as caught:
        same(one_batch(x).x, A, B)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="no input 'c'") as caught:
        read(trained((x, [P, Q]) for _ in range(3)).data)
    assert len(caught) == 1


def test_what_is_no_number_is_named() -> None:
    broken = A.copy()
    broken[0, 0] = np.nan
    model = Model()
    with pytest.warns(UserWarning, match=r"two: x\['a'\] holds NaN"):
        trained([broken, B], [P, Q], model=model)
    with pytest.warns(UserWarning, match=r"two: y\['p'\] holds infinity"):
        trained([A, B], [P + np.inf, Q], model=model)
    assert model.warned == 2
    own = Model(outputs=(ModelOutput("p", (None, 1), lambda t, p: t - p), Model.outputs[1]))
    trained([A, B], [P + np.inf, Q], model=own)  # a user's loss may know what to do with it


# --- arrays in memory ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, "batch"])
@pytest.mark.parametrize("kind", ["list", "sparse"])
@pytest.mark.parametrize("gathered", [1, 1 << 22])
def test_rows_stay_together(shuffle: Any, kind: str, gathered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays_module, "GATHERED_BYTES", gathered)  # one batch at a time, or all of them
    data = trained(INPUTS[kind](), [P, Q], [W, V]).data
    orders = []
    for _ in range(3):
        batches = read(data, shuffle=shuffle)
        rows = torch.cat([batch.y[0][:, 0] for batch in batches]).long().numpy()
        assert [batch.size for batch in batches] == [5, 5, 2]
        for trees, arrays in (([b.x for b in batches], (A, B)), ([b.y for b in batches], (P, Q)),
                              ([b.weight for b in batches], (W, V))):  # fmt: skip
            for leaf, array in enumerate(arrays):
                np.testing.assert_array_equal(torch.cat([tree[leaf] for tree in trees]).numpy(), array[rows])
        assert sorted(rows) == list(range(N))
        orders.append(rows.tolist())
    assert orders[0] != orders[1] or orders[1] != orders[2]


def test_a_piece_counts_the_bytes_of_every_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    data = trained([A, B], [P, Q], [W, V]).data
    row = 2 * 4 + 3 * 8 + 4 + 8 + 4 + 4
    monkeypatch.setattr(arrays_module, "GATHERED_BYTES", 2 * 5 * row)
    assert data._rows_in_a_piece(5) == 10
    monkeypatch.setattr(arrays_module, "GATHERED_BYTES", 2 * 5 * row - 1)
    assert data._rows_in_a_piece(5) == 5


def test_arrays_are_not_copied() -> None:
    (batch,) = read(trained([A, B], [P, Q], batch_size=N).data)
    assert [t.data_ptr() for t in (*batch.x, *batch.y)] == [a.ctypes.data for a in (A, B, P, Q)]


def test_every_leaf_goes_to_the_device() -> None:
    model = Model(device="meta", outputs=FREE)
    for x in ([A, B], [A.astype("uint8"), B], [sp.csr_matrix(A), B]):
        for batch in (*read(trained(x, [P, None], W, model=model).data), one_batch(x, {"p": P}, W, model=model)):
            assert [t.device.type for t in (*batch.x, batch.y[0], batch.weight[0])] == ["meta"] * 4
            assert batch.x[0].dtype == torch.float32


def test_small_integers_are_cast_batch_by_batch() -> None:
    data = trained([A.astype("uint8"), B.astype("uint8")], [P, Q]).data
    assert [leaf.dtype for leaf in data.leaves[:2]] == [torch.uint8, torch.int64]
    assert [[t.dtype for t in batch.x] for batch in read(data)] == [[torch.float32, torch.int64]] * 3


def test_a_split_cuts_all_alike() -> None:
    x, y = {"a": A, "b": sp.csr_matrix(B)}, {"p": P, "q": Q}
    data, validation, held_out, _ = trained(x, y, {"q": V}, validation_split=0.25)
    (kept,), (cut,) = read(data, at_once=N), read(validation, at_once=N)
    for batch, rows in ((kept, slice(9)), (cut, slice(9, None))):
        same(batch.x, A[rows], B[rows])
        same(batch.y, P[rows], Q[rows])
        same(batch.weight, None, V[rows])
    np.testing.assert_array_equal(held_out.y[1], Q[9:])
    with pytest.raises(ValueError, match="of 12 rows none would be left"):
        trained(x, y, validation_split=0.99)


def test_validation_data() -> None:
    for source in (([A, B], [P, Q]), [(A, B), {"p": P, "q": Q}, None], ({"a": A, "b": B}, {"p": P, "q": Q}, {"p": W})):
        _, validation, held_out, _ = trained([A, B], [P, Q], validation_data=source, validation_batch_size=N)
        (batch,) = read(validation)
        same(batch.x, A, B)
        same(batch.y, P, Q)
        assert held_out.x[0] is A
        weighted = len(source) == 3 and source[2] is not None
        assert (batch.weight is not None) is weighted
    _, validation, held_out, _ = trained([A, B], [P, Q], validation_data=(([A, B], [P, Q]) for _ in range(1)))
    same(read(validation)[0].x, A, B)
    assert held_out is None


def test_what_classic_callbacks_get_to_validate_on() -> None:
    held_out = trained([A, B], [P, Q], validation_data=([A, B], [P, Q], {"q": V}))[2]
    model = SimpleNamespace(_sublayers=lambda: ())
    same([torch.as_tensor(a) for a in validation_arrays(held_out, model, False)], A, B, P, Q[:, None], np.ones(N), V)


def test_a_fixed_batch_size() -> None:
    model = Model(batch_size=5, inputs=(("a", (5, 2), False), ("b", (5, 3), True)))
    with pytest.raises(ValueError, match="fixes the batch size at 5; got a batch of 12 samples"):
        one_batch([A, B], model=model)
    with pytest.raises(ValueError, match="got 12 samples and batches of 5"):
        trained([A, B], [P, Q], model=model)
    assert one_batch([A[:5], B[:5]], [P[:5], Q[:5]], model=model).size == 5


# --- sources of batches --------------------------------------------------------------------------------------------


class Batches(keras.utils.Sequence):
    """Batches of four rows."""

    def __init__(self, item: Callable[[slice], Any]) -> None:
        self.item = item

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return self.item(slice(4 * index, 4 * index + 4))


class Rows(Dataset[Any]):
    """Single samples."""

    def __init__(self, item: Callable[[int], Any]) -> None:
        self.item = item

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> Any:
        return self.item(index)


ITEMS: dict[str, Callable[[Any], Any]] = {
    "lists": lambda i: ([A[i], B[i]], [P[i], Q[i]], [W[i], V[i]]),
    "tuples": lambda i: ((A[i], B[i]), (P[i], Q[i]), (W[i], V[i])),
    "dictionaries": lambda i: ({"b": B[i], "a": A[i]}, {"p": P[i], "q": Q[i]}, {"q": V[i], "p": W[i]}),
    "a mixture": lambda i: ([A[i], B[i]], {"q": Q[i], "p": P[i]}, (W[i], V[i])),
}


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("source", ["generator", "Sequence", "DataLoader", "Dataset"])
def test_sources(kind: str, source: str) -> None:
    item = ITEMS[kind]
    make: dict[str, Callable[[], Any]] = {
        "generator": lambda: (item(slice(i, i + 4)) for i in (0, 4, 8)),
        "Sequence": lambda: Batches(item),
        "DataLoader": lambda: DataLoader(Rows(item), batch_size=4),
        "Dataset": lambda: Rows(item),
    }
    for data in (
        trained(make[source](), batch_size=4).data,
        Feeder(Model()).evaluation(make[source](), None, None, batch_size=4, steps=None),
    ):
        for i, batch in enumerate(read(data)):
            rows = slice(4 * i, 4 * i + 4)
            same(batch.x, A[rows], B[rows])
            same(batch.y, P[rows], Q[rows])
            same(batch.weight, W[rows], V[rows])
    for batch in read(Feeder(Model()).prediction(make[source](), batch_size=4, steps=None)):
        assert (len(batch.x), batch.y, batch.weight) == (2, None, None)


PREDICTED: dict[str, Callable[[], Any]] = {
    "a list": lambda: [A, B],
    "a dictionary": lambda: {"b": B, "a": A},
    "a tuple": lambda: (A, B),
    "a tuple of one": lambda: ([A, B],),
    "inputs and targets": lambda: ({"a": A, "b": B}, [P, Q]),
}


@pytest.mark.parametrize("kind", PREDICTED)
def test_sources_of_inputs_alone(kind: str) -> None:
    data = Feeder(Model()).prediction((PREDICTED[kind]() for _ in range(1)), batch_size=None, steps=None)
    (batch,) = read(data)
    same(batch.x, A, B)
    assert (batch.y, batch.weight) == (None, None)


def test_a_loader_of_inputs_alone() -> None:
    tensors = TensorDataset(torch.from_numpy(A), torch.from_numpy(B))
    data = Feeder(Model()).prediction(tensors, batch_size=N, steps=None)
    same(read(data)[0].x, A, B)


def test_a_buffer_that_is_filled_again() -> None:
    a, b, p, w = (np.empty_like(array[:4]) for array in (A, B, P, W))

    def filled() -> Iterator[Any]:
        for i in (0, 4, 8):
            a[:], b[:], p[:], w[:] = A[i : i + 4], B[i : i + 4], P[i : i + 4], W[i : i + 4]
            yield {"a": a, "b": b}, [p, Q[i : i + 4]], {"p": w}

    for i, batch in enumerate(read(trained(filled()).data)):
        rows = slice(4 * i, 4 * i + 4)
        same(batch.x, A[rows], B[rows])
        same(batch.y, P[rows], Q[rows])
        same(batch.weight, W[rows], None)


def test_inputs_without_targets() -> None:
    model = Model(loss=None, outputs=tuple(output._replace(loss=None) for output in Model.outputs))
    assert one_batch({"a": A, "b": B}, None, model=model).y is None
    (batch,) = read(trained(({"a": A, "b": B} for _ in range(1)), model=model).data)
    same(batch.x, A, B)
    assert batch.y is None


# --- a model that does not know its inputs by name -------------------------------------------------------------------

UNKNOWN = Model(name="own", inputs=None, outputs=None)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (A, A),
        (A.tolist(), A),
        ([A, B], [A, B]),
        ((A, {"deep": [B, A]}), (A, {"deep": [B, A]})),
        ({"one": A, "two": (B,)}, {"one": A, "two": (B,)}),
        ([sp.csr_matrix(A), [B, A]], [A, [B, A]]),
    ],
)
def test_trees_are_taken_as_they_are(x: Any, expected: Any) -> None:
    def check(tree: Any, array: Any, rows: slice) -> None:
        if isinstance(array, np.ndarray):
            np.testing.assert_array_equal(tree.numpy(), array[rows])
            assert tree.dtype == (torch.float32 if array.dtype.kind == "f" else torch.int64)
            return
        assert type(tree) is type(array)
        assert len(tree) == len(array)
        for key in array if isinstance(array, dict) else range(len(array)):
            check(tree[key], array[key], rows)

    y = {"out": P.astype("float64"), "classes": [Q]}
    batches = read(trained(x, y, {"out": W, "classes": [None]}, model=UNKNOWN).data)
    for batch, rows in zip(
        [*batches, one_batch(x, y, model=UNKNOWN)], (slice(5), slice(5, 10), slice(10, N), slice(N))
    ):
        check(batch.x, expected, rows)
        check(batch.y, {"out": P, "classes": [Q]}, rows)
    assert batches[0].weight["classes"] == [None]
    np.testing.assert_array_equal(batches[1].weight["out"].numpy(), W[5:10])
    (streamed,) = read(trained(((x, y) for _ in range(1)), model=UNKNOWN).data)
    check(streamed.x, expected, slice(N))


def test_lengths_in_a_tree_are_named_by_their_place() -> None:
    with pytest.raises(ValueError, match=r"x\['u'\]\[0\] and x\['v'\] must have as many rows; got 12 and 5"):
        one_batch({"u": [A, B], "v": B[:5]}, P, model=UNKNOWN)
    with pytest.raises(ValueError, match=r"y is missing"):
        one_batch(A, None, model=UNKNOWN)


# --- predictions ---------------------------------------------------------------------------------------------------


def test_joined_predictions() -> None:
    outputs = [[torch.full((n, 1), float(n)), {"q": torch.full((n, 3), 2.0 * n)}] for n in (4, 4, 2)]
    p, q = joined_predictions(outputs, [A, B], False)
    assert (p.shape, q["q"].shape) == ((10, 1), (10, 3))
    np.testing.assert_array_equal(p[:, 0], [4] * 8 + [2] * 2)
    single = joined_predictions([output[0] for output in outputs], A, False)
    np.testing.assert_array_equal(single, p)


def test_predictions_do_not_share_the_caller_s_memory() -> None:
    with torch.inference_mode():
        x = [torch.from_numpy(A), torch.from_numpy(B)]
        passed, own = predictions([x[1][:], x[0] * 1], x, False)
        assert not np.shares_memory(passed, B)
        np.testing.assert_array_equal(passed, B)
        np.testing.assert_array_equal(own, A)
        assert not np.shares_memory(joined_predictions([{"a": x[0]}], x, False)["a"], A)


def test_a_service_s_rows_make_one_batch() -> None:
    two, one = Feeder(Model()), Feeder(Model(inputs=(("a", (None, 2), False),)))
    assert two.is_one_batch([A[:1], B[:1]], None)
    assert not two.is_one_batch([A, B], 5)
    assert one.is_one_batch(A[:1], None)
    assert not one.is_one_batch([A[:1]], None)
    assert not Feeder(Model(batch_size=1)).is_one_batch([A[:1], B[:1]], None)


# --- a model with one input and one output -------------------------------------------------------------------------


def sequential(**options: Any) -> Any:
    model = keras.Sequential([layers.Dense(3, activation="softmax", input_shape=(2,), name="out")], name="small")
    model.set_weights([np.full((2, 3), 0.1), np.array([0.1, 0.2, 0.3])])
    model.compile("sgd", "sparse_categorical_crossentropy", **options)
    return model


def test_one_of_each_by_name() -> None:
    quiet = {"verbose": 0, "shuffle": False}
    expected = sequential().fit(A, Q, sample_weight=W, class_weight=SHARES, validation_data=(A, Q), **quiet).history
    forms = [
        ({"out_input": A}, {"out": Q}, {"out": W}, {"out": SHARES}),
        ([A], [Q], [W], [SHARES]),
        ((A,), (Q,), (W,), SHARES),
    ]
    for x, y, weight, share in forms:
        model = sequential(sample_weight_mode={"out": None})
        assert (
            model.fit(x, y, sample_weight=weight, class_weight=share, validation_data=(x, y), **quiet).history
            == expected
        )
        model = sequential()
        source = ((x, y, weight) for _ in range(1))
        history = model.fit(source, class_weight=share, validation_data=(x, y), **quiet).history
        np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
        assert sequential().predict(x).shape == (N, 3)
        assert sequential().predict_on_batch(x).shape == (N, 3)
        assert sequential().train_on_batch(x, y) == sequential().test_on_batch(A, Q)


def test_keys_that_are_no_input() -> None:
    with pytest.warns(UserWarning, match="Sequential 'small' has no input 'more'; it is left out"):
        np.testing.assert_array_equal(sequential().predict({"out_input": A, "more": B}), sequential().predict(A))
    with pytest.raises(ValueError, match=r"has one input, 'out_input' of shape \(None, 2\); got the keys \['a', 'b'\]"):
        sequential().predict({"a": A, "b": A})
    with pytest.raises(ValueError, match=r"y: Sequential 'small' has one output, 'out' of shape .*; got the keys"):
        sequential().fit(A, {"p": Q, "q": Q}, verbose=0)


def test_batches_of_dictionaries() -> None:
    rows = Rows(lambda i: ({"out_input": A[i]}, {"out": Q[i]}))
    for source in (rows, DataLoader(rows, batch_size=4), Batches(lambda i: ({"out_input": A[i]}, {"out": Q[i]}))):
        model = sequential()
        model.fit(source, batch_size=4 if source is rows else None, shuffle=False, verbose=0)
        expected = sequential()
        expected.fit(A, Q, batch_size=4, shuffle=False, verbose=0)
        np.testing.assert_allclose(model.get_weights()[0], expected.get_weights()[0], rtol=1e-6)


def test_arrays_are_arrays() -> None:
    data = Feeder(sequential()).evaluation(A, Q, None, batch_size=5, steps=None)
    assert isinstance(data, ArrayData)
    assert [type(part) for part in read(data)[0]] == [Tensor, Tensor, type(None), int, type(None)]
    assert data.sample == (2,)
