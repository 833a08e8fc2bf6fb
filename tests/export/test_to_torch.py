"""`model.to_torch()`: the same outputs from plain PyTorch, for every layer and for the golden models."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as tk
from tests.contract.specs import LAYERS, LayerSpec
from tests.golden.models.case import Case
from tests.golden.models.cases import FAMILIES
from tests.golden.models.support import every_case
from torchkeras_compat.export import NotExportable
from torchkeras_compat.export.writers.torch_modules import constructor_of
from torchkeras_compat.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling1D,
    Lambda,
    Masking,
    MaxPooling2D,
    TorchModuleWrapper,
)
from torchkeras_compat.models import Model, Sequential

from .support import arrays_for, as_tensors, build, model_of, outputs_of, without_package

pytestmark = pytest.mark.filterwarnings("ignore:.*to_torch")  # what differs is told, and tested for itself

# Class → a piece of the reason why one of its lines, or each, has no form in plain torch.
REFUSED = {
    "AlphaDropout": "noise_shape",
    "BatchNormalization": "statistics",
    "CenterCrop": "may be smaller",
    "Embedding": "word_dropout",
    "Lambda": "runs on numbers only",
    "LocallyConnected1D": "implementation",
    "LocallyConnected2D": "implementation",
    "Merge": "Cosine",
    "MultiHeadAttention": "several axes",
    "Resizing": "interpolation=",
    "Softmax": "several axes",
    "UpSampling2D": "bicubic",
}
# Of these each line is refused.
NEVER = (set(REFUSED) - {"AlphaDropout", "BatchNormalization", "Embedding", "Lambda"}) - {
    "CenterCrop", "LocallyConnected1D", "LocallyConnected2D", "Merge", "MultiHeadAttention", "Resizing",
    "Softmax", "UpSampling2D",
}  # fmt: skip
EXPORTED = [spec for spec in LAYERS if spec.cls not in NEVER and str(spec) != "Identity-3x4+5"]


def images() -> Sequential:
    return Sequential(
        [
            Conv2D(4, 3, activation="relu", input_shape=(8, 8, 3)),
            BatchNormalization(),
            MaxPooling2D(),
            Dropout(0.4),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )


def sequences() -> Model:
    tokens, numbers = tk.Input((6,), dtype="int32", name="tokens"), tk.Input((4,), name="numbers")
    words = Embedding(9, 5, mask_zero=True)(tokens)
    read = [
        LSTM(3)(words),
        GRU(3)(words),
        GlobalAveragePooling1D()(Bidirectional(LSTM(2, return_sequences=True))(words)),
    ]
    joined = tk.layers.concatenate([*read, numbers])
    return Model(
        [tokens, numbers], [Dense(3, activation="softmax", name="kind")(joined), Dense(1, name="size")(joined)]
    )


def why_not(model: Any) -> str:
    """Return why a model has no form in plain torch, or nothing where it has one."""
    try:
        model.to_torch()
    except NotExportable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("spec", EXPORTED, ids=str)
def test_each_layer(spec: LayerSpec) -> None:
    model = model_of(spec)
    reason = why_not(model)
    if reason:
        assert REFUSED[spec.cls] in reason
        return
    arrays = arrays_for(spec)
    wanted = model.predict(arrays if len(arrays) > 1 else arrays[0])
    outputs = outputs_of(model.to_torch(), as_tensors(model, arrays))
    for mine, theirs in zip(outputs, wanted if isinstance(wanted, list) else [wanted], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_what_is_refused_is_told() -> None:
    reasons = [(spec, why_not(model_of(spec))) for spec in LAYERS if str(spec) != "Identity-3x4+5"]
    assert [spec for spec, reason in reasons if reason and REFUSED.get(spec.cls, "?") not in reason] == []
    assert [spec for spec, reason in reasons if spec.cls in NEVER and not reason] == []
    assert {spec.cls for spec, reason in reasons if reason} == set(REFUSED)


# What keeps a golden model from plain torch: code of users', and these.
NO_FORM = (
    "is a layer of yours",
    "runs on numbers only",
    "is Python code",
    "with training=",
    "the function",
    "joined along the steps",
    "keeps its states",
    "cell",
    "RNN both ways",
    "attention scores",
    "return_attention_scores",
    "constants",
    "dictionary or several",
)


@every_case
def test_golden_models(family: str, case: Case) -> None:
    model, arrays = build(case)
    reason = why_not(model)
    if reason:
        assert any(known in reason for known in NO_FORM), reason
        return
    wanted = model.predict(case.draw("x"), verbose=0)
    if isinstance(wanted, dict):
        wanted = [wanted[key] for key in sorted(wanted)]
    outputs = outputs_of(model.to_torch(), as_tensors(model, arrays))
    for mine, theirs in zip(outputs, wanted if isinstance(wanted, list) else [wanted], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.slow  # it builds them all once more
def test_most_golden_models_have_a_form() -> None:
    cases = [case for family in FAMILIES.values() for case in family]
    assert sum(not why_not(build(case)[0]) for case in cases) >= 135


def test_a_chain_is_a_sequential_of_torchs_own() -> None:
    made = Sequential([Dense(4, activation="relu", input_shape=(3,), name="in"), Dropout(0.5), Dense(2)]).to_torch()
    assert type(made) is nn.Sequential
    assert [type(part) for part in made] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert [name for name, _ in made.named_children()] == ["in_", "relu", "dropout_1", "dense_1"]


def test_images_are_turned_once() -> None:
    model = images()
    made = model.to_torch()
    kinds = [type(part).__name__ for part in made.children()]
    assert kinds.count("Permute") == 2, kinds
    x = np.random.RandomState(0).rand(2, 8, 8, 3).astype("float32")
    np.testing.assert_allclose(outputs_of(made, [torch.tensor(x)])[0], model.predict(x), atol=1e-6)


@pytest.mark.parametrize("make", [images, sequences])
def test_it_needs_no_package(make: Any, tmp_path: Path) -> None:
    model, path = make(), tmp_path / "model.pt"
    made = model.to_torch()
    shapes = [(2, 8, 8, 3)] if make is images else [(2, 6), (2, 4)]
    random = np.random.RandomState(1)
    arrays = [random.randint(0, 9, s) if s == (2, 6) else random.rand(*s).astype("float32") for s in shapes]
    inputs = [torch.tensor(array) for array in arrays]
    torch.save({"model": made, "inputs": inputs, "outputs": made(*inputs)}, path)
    code = """
    import copy, pickle, sys, torch
    saved = torch.load(sys.argv[1], weights_only=False)
    model, inputs, outputs = saved['model'], saved['inputs'], saved['outputs']
    again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    again.load_state_dict(model.state_dict())
    for one in (model, again):
        now = one(*inputs)
        for a, b in zip(now if isinstance(now, tuple) else [now], outputs if isinstance(outputs, tuple) else [outputs]):
            assert torch.equal(a, b)
    print(any('keras' in name for name in sys.modules if not name.startswith('__editable')))
    """
    assert without_package(code, path).strip() == "False"


def test_copies_and_pickles_here() -> None:
    made = sequences().to_torch()
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(again) is type(made)
        assert all(torch.equal(a, b) for a, b in zip(made.state_dict().values(), again.state_dict().values()))


def test_weights_are_copies_and_frozen_ones_stay_frozen() -> None:
    model = images()
    model.layers[0].trainable = False
    made = model.to_torch()
    assert [n for n, p in made.named_parameters() if not p.requires_grad] == ["conv2d_1.weight", "conv2d_1.bias"]
    before = model.get_weights()[0].copy()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_modes() -> None:
    model = Sequential(
        [Dense(50, input_shape=(4,)), Dropout(0.5), GaussianNoise(1.0), BatchNormalization(momentum=0.9)]
    )
    made, x = model.to_torch(), torch.rand(8, 4)
    assert torch.equal(made(x), made(x))
    made.train()
    assert not torch.equal(made(x), made(x))


def test_moving_statistics_follow_as_here() -> None:
    model = Sequential([Conv2D(3, 2, input_shape=(5, 5, 2)), BatchNormalization(momentum=0.8)])
    made, x = model.to_torch().train(), np.random.RandomState(2).rand(6, 5, 5, 2).astype("float32")
    for _ in range(3):
        model(x, training=True)
        made(torch.tensor(x))
    np.testing.assert_allclose(outputs_of(made.eval(), [torch.tensor(x)])[0], model.predict(x), rtol=1e-5, atol=1e-5)


def test_another_variance_is_told() -> None:
    tk.set_dialect("keras-2.15")
    model = Sequential([Dense(3, input_shape=(2,)), BatchNormalization(name="normal")])
    with pytest.warns(UserWarning, match="normal: torch moves its variance"):
        model.to_torch()


def test_frozen_statistics_stay() -> None:
    tk.set_dialect("keras-2.15")
    model = Sequential([Conv2D(3, 2, input_shape=(5, 5, 2)), BatchNormalization()])
    model.layers[1].trainable = False
    made, x = model.to_torch().train(), torch.rand(6, 5, 5, 2)
    before = made(x)
    assert torch.equal(made(x), before)
    np.testing.assert_allclose(before.detach().numpy(), model(x.numpy(), training=True).detach().numpy(), atol=1e-6)


def transferred() -> Model:
    """A model on a network that infers whatever mode the model is in, as scripts of transfer learning build them."""
    base_input = tk.layers.Input((8, 8, 3))
    y = Conv2D(4, 3, use_bias=False)(base_input)
    y = BatchNormalization(scale=False, name="normal")(y)
    y = tk.layers.Dropout(0.9)(tk.layers.GaussianNoise(3.0)(tk.layers.ReLU(6.0)(y)))
    base = Model(base_input, y, name="base")
    x = tk.layers.Input((8, 8, 3))
    y = tk.layers.GlobalAveragePooling2D()(base(x, training=False))
    y = tk.layers.LSTM(3)(tk.layers.Reshape((2, 2))(y), training=False)
    return Model(x, Dense(2)(y))


def test_a_call_that_infers_does_so_in_training() -> None:
    model = transferred()
    model.get_layer("base").get_layer("normal").set_weights([np.arange(4.0), np.full(4, 0.3), np.full(4, 2.0)])
    x = np.random.RandomState(0).rand(5, 8, 8, 3).astype("float32")
    made = model.to_torch().train()
    for _ in range(2):
        np.testing.assert_allclose(made(torch.tensor(x)).detach(), model.predict(x, verbose=0), atol=1e-6)
    assert made.base_normal.bias.requires_grad
    assert not made.base_normal.weight.requires_grad
    names: dict[str, Any] = {}
    exec(compile(model.to_torch_source().split('if __name__ == "__main__"')[0], "model.py", "exec"), names)
    assert "FrozenBatchNorm" in model.to_torch_source()
    assert "Dropout" not in model.to_torch_source()


def test_other_modes_are_refused() -> None:
    x = tk.layers.Input((4,))
    drop, normal = tk.layers.Dropout(0.5), BatchNormalization()
    assert "a call with training=True has no form" in str(why_not(Model(x, drop(x, training=True))))
    both = Model(x, tk.layers.add([normal(x, training=False), normal(x)]))
    assert "calls in several modes" in str(why_not(both))
    steps = tk.layers.Input((4, 2))
    dropping = LSTM(3, dropout=0.5)(steps, training=False)
    assert "a call with training=False has no form" in str(why_not(Model(steps, dropping)))


@pytest.mark.parametrize(("scale", "center"), [(True, False), (False, True), (False, False)])
@pytest.mark.parametrize("kind", [BatchNormalization, tk.layers.LayerNormalization, tk.layers.GroupNormalization])
def test_a_scale_or_an_offset_alone(kind: Any, scale: bool, center: bool) -> None:
    options = {"groups": 2} if kind is tk.layers.GroupNormalization else {}
    layer = kind(scale=scale, center=center, **options)
    model = Sequential([tk.layers.Input((3, 3, 4)), layer])
    rng = np.random.RandomState(0)
    model.set_weights([rng.uniform(0.5, 2, w.shape) for w in model.get_weights()])
    x = rng.rand(2, 3, 3, 4).astype("float32")
    made = model.to_torch().eval()
    np.testing.assert_allclose(made(torch.tensor(x)).detach(), model.predict(x, verbose=0), atol=1e-5)
    trains = [p for p in made.parameters() if p.requires_grad]
    assert len(trains) == len(model.trainable_weights)


@pytest.mark.parametrize("noise_shape", [(None, 1, 1, 1), (None, 1, None, 3), (None, 5, 4, 1)])
def test_dropout_along_axes(noise_shape: tuple[int | None, ...]) -> None:
    model = Sequential([tk.layers.Input((5, 4, 3)), tk.layers.Dropout(0.5, noise_shape=noise_shape)])
    made = model.to_torch().train()
    y = made(torch.ones(64, 5, 4, 3)).numpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    for axis, size in enumerate(noise_shape):
        same = bool((y == y.take([0], axis)).all())
        assert same == (size == 1)
    np.testing.assert_array_equal(made.eval()(torch.ones(2, 5, 4, 3)), np.ones((2, 5, 4, 3)))


@pytest.mark.parametrize("branching", [False, True])
def test_each_call_gives_a_model_of_its_own(branching: bool) -> None:
    x = tk.layers.Input((2,))
    graph = Model(x, tk.layers.add([Dense(2)(x), x]))
    model = graph if branching else Sequential([Dense(3, input_shape=(2,))])
    first, second = model.to_torch(), model.to_torch()
    kept = [p.clone() for p in second.parameters()]
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1)
    assert first is not second
    for before, after in zip(kept, second.parameters()):
        torch.testing.assert_close(before, after, rtol=0, atol=0)


def test_one_bias_does_not_train() -> None:
    made = Sequential([LSTM(3, input_shape=(4, 2))]).to_torch()
    assert [n for n, p in made.named_parameters() if not p.requires_grad] == ["lstm_1.bias_hh_l0"]
    both = Sequential([GRU(3, reset_after=True, input_shape=(4, 2))]).to_torch()
    assert all(p.requires_grad for p in both.parameters())


def test_float64() -> None:
    model = Sequential([Dense(3, input_shape=(2,), dtype="float64"), LSTM(2, dtype="float64")][:1])
    made = model.to_torch()
    assert {p.dtype for p in made.parameters()} == {torch.float64}
    x = np.random.RandomState(3).rand(4, 2)
    np.testing.assert_allclose(outputs_of(made, [torch.tensor(x)])[0], model.predict(x), rtol=1e-12)


def test_a_mask_that_nobody_heeds_is_refused() -> None:
    tk.set_dialect("keras-2.15")
    model = Sequential([Masking(input_shape=(4, 2)), BatchNormalization(name="normal")])
    with pytest.raises(NotExportable, match="'normal': what it does with a mask"):
        model.to_torch()


@pytest.mark.parametrize("padded", ["before", "behind", "between", "all"])
def test_masks_wherever_they_are(padded: str) -> None:
    model = sequences()
    tokens = np.random.RandomState(4).randint(1, 9, (3, 6))
    if padded == "all":
        model = Model(model.inputs, model.outputs)
    {"before": lambda: tokens[:, :3].fill(0), "behind": lambda: tokens[:, 3:].fill(0),
     "between": lambda: tokens[:, 1:5:2].fill(0), "all": lambda: tokens[0, :5].fill(0)}[padded]()  # fmt: skip
    numbers = np.random.RandomState(5).rand(3, 4).astype("float32")
    wanted = model.predict([tokens, numbers])
    for mine, theirs in zip(outputs_of(model.to_torch(), [torch.tensor(tokens), torch.tensor(numbers)]), wanted):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_models_in_models_and_shared_layers() -> None:
    tower = Sequential([Dense(4, activation="tanh", input_shape=(3,), name="inner")], name="tower")
    one, other = tk.Input((3,), name="one"), tk.Input((3,), name="other")
    model = Model([one, other], Dense(1, name="out")(tk.layers.add([tower(one), tower(other)])))
    made = model.to_torch()
    assert set(dict(made.named_children())) == {"tower_inner", "out"}
    a, b = (np.random.RandomState(i).rand(5, 3).astype("float32") for i in (6, 7))
    np.testing.assert_allclose(
        outputs_of(made, [torch.tensor(a), torch.tensor(b)])[0], model.predict([a, b]), atol=1e-6
    )


def test_a_module_of_torch_goes_along() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(self.linear(x))

    for module in (nn.Sequential(nn.Linear(3, 3), nn.GELU()), Twice()):
        model = Sequential([Dense(3, input_shape=(2,)), module])
        x = np.random.RandomState(8).rand(5, 2).astype("float32")
        np.testing.assert_allclose(outputs_of(model.to_torch(), [torch.tensor(x)])[0], model.predict(x), atol=1e-6)


# What torch prints of a module leaves some of its settings out.
@pytest.mark.parametrize(
    ("module", "call"),
    [
        (nn.Linear(5, 3, bias=False), "nn.Linear(5, 3, bias=False)"),
        (nn.Conv2d(2, 3, 3, padding="same"), 'nn.Conv2d(2, 3, 3, padding="same")'),
        (nn.BatchNorm2d(2, eps=1e-3, affine=False).eval(), "nn.BatchNorm2d(2, eps=0.001, affine=False)"),
        (nn.LayerNorm(5, elementwise_affine=False), "nn.LayerNorm((5,), elementwise_affine=False)"),
        (nn.LayerNorm(5, bias=False), "nn.LayerNorm((5,), bias=False)"),
        (nn.AvgPool2d(2, ceil_mode=True), "nn.AvgPool2d(2, stride=2, ceil_mode=True)"),
        (
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            'nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=True)',
        ),
        (nn.Sequential(nn.Hardtanh(0, 2), nn.Softmax(-1)), "nn.Sequential(nn.Hardtanh(min_val=0, max_val=2), nn.Soft"),
        (nn.Identity(1), "nn.Identity()"),
    ],
    ids=lambda value: value.partition("(")[0] if isinstance(value, str) else "",
)
def test_modules_of_torch_are_made_with_all_their_settings(module: nn.Module, call: str) -> None:
    model = Sequential([TorchModuleWrapper(module, channels_first=False, input_shape=(2, 5, 5))])
    before, x = torch.random.get_rng_state(), np.random.RandomState(9).rand(3, 2, 5, 5).astype("float32")
    names: dict[str, Any] = {}
    source = model.to_torch_source()
    assert "".join(call.split()) in "".join(source.split())
    exec(source, names)
    assert torch.equal(torch.random.get_rng_state(), before)
    names["Net"]().load_state_dict(model.to_torch().state_dict())
    np.testing.assert_allclose(outputs_of(model.to_torch(), [torch.tensor(x)])[0], model.predict(x), atol=1e-6)


@pytest.mark.parametrize("module", [nn.RNN(4, 3, nonlinearity="relu"), nn.LSTM(4, 3, 2, bias=False), nn.GRU(4, 2)])
def test_recurrent_modules_of_torch_have_a_call(module: nn.RNNBase) -> None:
    made = eval(constructor_of(module) or "", {"nn": nn})
    made.load_state_dict(module.state_dict())
    x = torch.rand(5, 2, 4)
    assert torch.equal(made(x)[0], module(x)[0])


def test_modules_that_no_call_makes() -> None:
    unlike = nn.Conv2d(2, 3, 3)
    unlike.stride = (2, 2)
    assert constructor_of(unlike) == "nn.Conv2d(2, 3, 3, stride=2)"
    unlike.out_channels = 4
    assert constructor_of(unlike) is None
    assert constructor_of(nn.TransformerEncoderLayer(4, 2)) is None
    assert constructor_of(nn.MultiheadAttention(4, 2)) is None


@pytest.mark.parametrize(
    "spec", [s for s in EXPORTED if s.cls in ("MaxoutDense", "SReLU", "Dot", "Normalization")], ids=str
)
def test_lines_that_are_broken_say_the_same(spec: LayerSpec) -> None:
    model, arrays = model_of(spec, name="a_layer_with_a_name_that_fills_most_of_a_line"), arrays_for(spec)
    outputs = outputs_of(model.to_torch(), as_tensors(model, arrays))
    np.testing.assert_allclose(outputs[0], model.predict(arrays if len(arrays) > 1 else arrays[0]), atol=1e-5)


def test_names_that_torch_does_not_take() -> None:
    model = Sequential([Dense(2, input_shape=(2,), name="block/1.dense a"), Dense(2, name="training")])
    names = [name for name, _ in model.to_torch().named_children()]
    assert names == ["block_1_dense_a", "training_2"]


def test_functions_of_tensors() -> None:
    one, other, backend = tk.Input((3,)), tk.Input((3,)), tk.backend
    model = Model([one, other], [2 - one, one**2 / other, backend.mean(backend.exp(one), axis=-1), other[:, 1:]])
    a, b = (np.random.RandomState(i).rand(5, 3).astype("float32") for i in (6, 7))
    for mine, theirs in zip(outputs_of(model.to_torch(), [torch.tensor(a), torch.tensor(b)]), model.predict([a, b])):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    with pytest.raises(NotExportable, match=r"the function backend\.math\.sum in the graph"):
        Model(one, backend.sum(one)).to_torch()  # over the samples too


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(NotExportable, match=r"Lambda 'twice'.*write it into forward yourself"):
        Sequential([Lambda(lambda x: torch.mul(x, 2), input_shape=(2,), name="twice")]).to_torch()
    with pytest.raises(ValueError, match="needs a built model"):
        Sequential([Dense(2)]).to_torch()
    with pytest.raises(NotExportable, match="stateful=True"):
        Sequential([LSTM(2, stateful=True, batch_input_shape=(2, 3, 1))]).to_torch()


def test_the_state_of_chance_is_untouched() -> None:
    model = images()
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    model.to_torch()
    assert torch.equal(torch.rand(2), wanted)
