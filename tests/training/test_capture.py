"""A captured function: what it does, on what it finds in objects, without doing it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from torchkeras_compat._core.graph_capture import CannotCapture
from torchkeras_compat.training.executors.capture import Graph, capture


def run(graph: Graph, *arguments: torch.Tensor) -> list[torch.Tensor]:
    found: list[torch.Tensor] = graph.module(*graph.held, *arguments)
    return found


def test_capturing_writes_to_nothing_and_the_graph_does() -> None:
    count, average = torch.zeros(()), torch.ones(3)
    weight = torch.nn.Parameter(torch.full((3,), 2.0))

    def step(x: torch.Tensor) -> list[torch.Tensor]:
        loss = (weight * x).sum()
        (grad,) = torch.autograd.grad(loss, weight)
        with torch.no_grad():
            count.add_(1)
            average.mul_(0.5)
            average.add_(x)
            weight.sub_(grad)
            average.add_(torch.tensor(2.0))
        return [loss.detach(), count * 1]

    graph = capture(step, [torch.ones(3)])
    assert (float(count), average.tolist(), weight.tolist()) == (0.0, [1.0] * 3, [2.0] * 3)
    loss, counted = run(graph, torch.tensor([1.0, 2.0, 3.0]))
    assert (float(loss), float(counted), float(count)) == (12.0, 1.0, 1.0)
    assert (average.tolist(), weight.tolist()) == ([3.5, 4.5, 5.5], [1.0, 0.0, -1.0])


def test_views_of_one_piece_of_memory_are_one_input() -> None:
    flat = torch.arange(6.0)
    first, second = flat[:2], flat[2:].view(2, 2).t()

    def change(x: torch.Tensor) -> list[torch.Tensor]:
        before = first.sum() + (second @ x).sum()
        flat.mul_(2)
        return [before, second.clone()]

    graph = capture(change, [torch.ones(2)])
    assert len(graph.held) == 1
    before, after = run(graph, torch.tensor([1.0, 0.0]))
    assert float(before) == 1 + 2 + 3
    torch.testing.assert_close(after, torch.tensor([[4.0, 8.0], [6.0, 10.0]]))


def test_memory_that_no_tensor_covers_is_taken_whole() -> None:
    hidden = torch.arange(6.0)
    first, second = hidden[1:3], hidden[4:]
    del hidden
    graph = capture(lambda x: [first + x, second - x], [torch.ones(2)])
    assert len(graph.held) == 1
    plus, minus = run(graph, torch.tensor([1.0, 1.0]))
    assert (plus.tolist(), minus.tolist()) == ([2.0, 3.0], [3.0, 4.0])


def test_reading_a_value_is_no_graph() -> None:
    with pytest.raises(Exception, match="local_scalar_dense"):
        capture(lambda x: [x * float(x.sum())], [torch.ones(2)])


@pytest.mark.parametrize("read", [bool, float, torch.Tensor.item, torch.Tensor.numpy])
def test_reading_a_value_found_in_an_object_is_refused(read: Callable[[torch.Tensor], object]) -> None:
    flag = torch.tensor(1.0)
    with pytest.raises(CannotCapture, match="reads the value"):
        capture(lambda x: [x if read(flag) else -x], [torch.ones(2)])


def test_python_random_numbers_are_refused() -> None:
    import random

    with pytest.raises(CannotCapture, match="random"):
        capture(lambda x: [x * random.random()], [torch.ones(2)])
