"""Loops, random functions, settings and names that are not there."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import torchkeras_compat.backend as K
from torchkeras_compat._core import settings
from torchkeras_compat.backend import common


def _step(x: torch.Tensor, states: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    total = states[0] * 0.5 + x + (states[1] if len(states) > 1 else 0)
    return total * 2, [total]


def _rnn(x: np.ndarray, mask: np.ndarray | None, zero: bool, constant: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    state, output, outputs = np.zeros(x.shape[::2], "float32"), np.zeros(x.shape[::2], "float32"), []
    for t in range(x.shape[1]):
        new = state * 0.5 + x[:, t] + constant
        valid = np.ones(len(x), bool) if mask is None else mask[:, t]
        before = np.zeros_like(output) if zero else output
        output, state = np.where(valid[:, None], new * 2, before), np.where(valid[:, None], new, state)
        outputs.append(output)
    return np.stack(outputs, 1), state


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_rnn(masked: bool, zero: bool) -> None:
    x = np.random.RandomState(0).normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 0]], bool) if masked else None
    expected, state = _rnn(x, mask, zero)
    last, outputs, states = K.rnn(_step, x, [torch.zeros(3, 2)], mask=mask, zero_output_for_mask=zero)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6)
    np.testing.assert_allclose(last, expected[:, -1], rtol=1e-6)
    np.testing.assert_allclose(states[0], state, rtol=1e-6)


def test_rnn_backwards_with_constants_and_time_first() -> None:
    x = np.random.RandomState(0).normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 0]], bool)
    expected, _ = _rnn(x[:, ::-1], mask[:, ::-1], False, 0.5)
    _, outputs, _ = K.rnn(_step, x, [torch.zeros(3, 2)], True, mask, [torch.tensor(0.5)], unroll=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6)
    time_first = torch.tensor(x).transpose(0, 1)
    _, outputs, _ = K.rnn(_step, time_first, [torch.zeros(3, 2)], True, mask.T, [torch.tensor(0.5)], time_major=True)
    np.testing.assert_allclose(outputs.transpose(0, 1), expected, rtol=1e-6)


def test_rnn_by_lengths_and_with_the_last_output_alone() -> None:
    x = np.random.RandomState(0).normal(size=(2, 4, 2)).astype("float32")
    expected, _ = _rnn(x, np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool), False)
    _, outputs, _ = K.rnn(_step, x, [torch.zeros(2, 2)], input_length=np.array([2, 4]))
    np.testing.assert_allclose(outputs, expected, rtol=1e-6)
    last, outputs, _ = K.rnn(_step, x, [torch.zeros(2, 2)], return_all_outputs=False)
    assert outputs.shape == (2, 1, 2)
    assert torch.equal(outputs[:, 0], last)


def test_rnn_over_several_inputs() -> None:
    x = torch.ones(1, 3, 2)
    _, outputs, _ = K.rnn(lambda xs, s: (xs[0] * xs[1], [s[0] + xs[0]]), (x, x * 3), [torch.zeros(1, 2)])
    assert outputs.tolist() == [[[3, 3]] * 3]


def test_folds() -> None:
    x = torch.tensor([1.0, 2.0, 3.0])
    assert K.foldl(lambda a, b: a - b, x).item() == -4
    assert K.foldr(lambda a, b: a - b, x).item() == 0
    assert K.foldl(lambda a, b: a + b, x, initializer=10.0).item() == 16
    assert K.map_fn(lambda p: p[0] * p[1], (x, x), dtype="int32").tolist() == [1, 4, 9]


def test_random_functions_repeat_with_numpys_seed() -> None:
    def draw() -> list[np.ndarray]:
        np.random.seed(7)
        draws = [K.random_normal((4,)), K.random_uniform((4,)), K.truncated_normal((4,)), K.random_bernoulli((9,), 0.5)]
        return [t.cpu().numpy() for t in [*draws, K.dropout(torch.ones(9), 0.5)]]

    for first, second in zip(draw(), draw()):
        np.testing.assert_array_equal(first, second)


def test_a_seed_has_a_sequence_of_its_own() -> None:
    K.clear_session()
    first, second = K.random_normal((4,), seed=3), K.random_normal((4,), seed=3)
    assert not torch.equal(first, second)
    K.clear_session()
    assert torch.equal(K.random_normal((4,), seed=3), first)
    with settings.running(True):
        torch.manual_seed(5)
        third = K.random_normal((4,))
        torch.manual_seed(5)
        assert torch.equal(K.random_normal((4,)), third)


def test_the_distributions() -> None:
    np.random.seed(0)
    assert K.random_normal((20000,), 1.0, 2.0).mean().item() == pytest.approx(1, abs=0.06)
    assert K.random_normal((20000,), 1.0, 2.0).std().item() == pytest.approx(2, rel=0.03)
    integers = K.random_uniform((200,), 2, 5, dtype="int32")
    assert set(integers.tolist()) == {2, 3, 4}
    assert K.truncated_normal((20000,)).abs().max() <= 2
    assert K.truncated_normal((20000,)).std().item() == pytest.approx(0.8796, rel=0.02)
    assert K.random_binomial((20000,), 0.25).mean().item() == pytest.approx(0.25, abs=0.02)
    assert K.random_uniform_variable((3,), 4, 5).numpy().min() >= 4
    assert K.random_normal_variable((3,), 4, 0).numpy().tolist() == [4, 4, 4]


def test_dropout() -> None:
    y = K.dropout(torch.ones(10000), 0.25)
    assert y.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (y == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    rows = K.dropout(torch.ones(50, 8), 0.5, noise_shape=(None, 1))
    assert (rows == rows[:, :1]).all()
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        K.dropout(torch.ones(2), 1.0)


def test_settings_by_all_their_names() -> None:
    assert K.backend() == "tensorflow"
    assert common.floatx() == K.floatx() == K._FLOATX == "float32"
    K.set_epsilon(1e-3)
    assert K._EPSILON == common.epsilon() == 1e-3
    K.set_image_dim_ordering("th")
    assert (K.image_data_format(), K._IMAGE_DATA_FORMAT) == ("channels_first", "channels_first")
    assert K.image_dim_ordering() == "th"
    assert K.normalize_data_format(None) == "channels_first"
    with pytest.raises(ValueError, match="dim_ordering"):
        K.set_image_dim_ordering("channels_last")
    K.set_image_data_format("channels_last")
    assert K.epsilon() == 1e-3
    K.manual_variable_initialization(True)  # variables have their values anyway
    with K.name_scope("block") as scope:
        assert (scope, K.get_value(K.variable(1.0))) == ("block", 1)
    K.set_floatx("float64")
    assert K.cast_to_floatx([1]).dtype == np.float64
    assert K.zeros((1,)).dtype == torch.float64
    assert K.get_uid("a") == 1
    assert K.get_uid("a") == 2
    K.clear_session()
    assert K.get_uid("a") == 1
    K.reset_uids()
    assert K.get_uid("a") == 1


def test_names_that_are_not_there_say_what_to_write() -> None:
    with pytest.raises(AttributeError, match="torch, or a function of the backend"):
        _ = K.tf
    with pytest.raises(AttributeError, match="no TensorFlow graph"):
        _ = K.get_graph
    with pytest.raises(AttributeError, match="did you mean 'square'"):
        _ = K.squar
    assert not hasattr(K, "__path_to_nothing__")


def test_every_name_of_the_reference_is_there() -> None:
    names = (
        "abs all any arange argmax argmin backend batch_dot batch_flatten batch_get_value batch_normalization "
        "batch_set_value bias_add binary_crossentropy binary_focal_crossentropy cast cast_to_floatx "
        "categorical_crossentropy categorical_focal_crossentropy clear_session clip concatenate constant conv1d conv2d "
        "conv2d_transpose conv3d cos count_params ctc_batch_cost ctc_decode ctc_label_dense_to_sparse cumprod cumsum "
        "depthwise_conv2d dot dropout dtype elu epsilon equal eval exp expand_dims eye flatten floatx foldl foldr "
        "function gather get_uid get_value gradients greater greater_equal hard_sigmoid image_data_format "
        "in_test_phase in_top_k in_train_phase int_shape is_keras_tensor is_sparse l2_normalize learning_phase "
        "learning_phase_scope "
        "less less_equal local_conv1d local_conv2d log manual_variable_initialization map_fn max maximum mean min "
        "minimum moving_average_update name_scope ndim normalize_batch_in_training not_equal one_hot ones ones_like "
        "permute_dimensions placeholder pool2d pool3d pow print_tensor prod random_bernoulli random_binomial "
        "random_normal random_normal_variable random_uniform random_uniform_variable relu repeat repeat_elements "
        "reset_uids reshape resize_images resize_volumes reverse rnn round separable_conv2d set_epsilon set_floatx "
        "set_image_data_format set_learning_phase set_value shape sigmoid sign sin softmax softplus softsign "
        "sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std "
        "stop_gradient sum switch tanh temporal_padding tile to_dense transpose truncated_normal update update_add "
        "update_sub var variable zeros zeros_like"
    ).split()
    classic = "logsumexp identity is_placeholder is_variable is_tensor slice size get_variable_shape conv3d_transpose "
    classic += "separable_conv1d set_image_dim_ordering image_dim_ordering normalize_data_format symbolic eager"
    assert [n for n in [*names, *classic.split()] if n not in K.__all__ or not callable(getattr(K, n))] == []


def test_bad_arguments_are_named() -> None:
    image = torch.ones(1, 4, 4, 2)
    for call, message in (
        (lambda: K.conv2d(image, torch.ones(3, 3, 2, 1), padding="full"), "padding must be one of"),
        (lambda: K.conv2d(image, torch.ones(3, 3, 2, 1), padding="causal"), "padding must be one of"),
        (lambda: K.conv2d(image, torch.ones(3, 3, 2, 1), data_format="tf"), "data_format must be one of"),
        (lambda: K.pool2d(image, (2, 2), pool_mode="mean"), "pool_mode must be one of"),
        (lambda: K.resize_images(image, 2, 2, None, "cubic"), "interpolation must be one of"),
        (lambda: K.softmax(torch.ones(3)), "two axes or more"),
        (lambda: K.batch_dot(torch.ones(2, 3), torch.ones(3, 3)), "one batch size"),
        (lambda: K.batch_dot(torch.ones(2, 3), torch.ones(2, 4)), "one length"),
        (lambda: K.squeeze(torch.ones(2, 3), 1), "length 1"),
        (lambda: K.tile(torch.ones(2, 3), 2), "2 integers"),
        (lambda: K.categorical_crossentropy(torch.ones(2, 3), torch.ones(2, 4)), "one shape"),
        (lambda: K.is_keras_tensor(3), "a tensor"),
        (lambda: K.ctc_decode(torch.ones(1, 2, 3), [2], False, 1, 2), "at most beam_width=1"),
        (lambda: K.bias_add(image, torch.ones(2, 2)), "of 3 axes"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_print_tensor(capsys: pytest.CaptureFixture[str]) -> None:
    x = torch.tensor([1.5, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert K.print_tensor(x, "x is") is x
    assert capsys.readouterr().out == "x is [1.5 2]\n"


def test_sessions_are_accepted_or_answered() -> None:
    with pytest.warns(FutureWarning, match=r"set_session\(session=…\): has no effect"):
        K.set_session(object())
    K.set_session(None)  # once is enough
    x = K.placeholder((None, 2))
    assert K.get_session().run(K.sum(x), feed_dict={x: [[1, 2], [3, 4]]}) == 10


def test_transpose_of_a_number() -> None:
    assert K.transpose(K.constant(3.0)).numpy() == 3.0
