"""The same workloads as a careful PyTorch user would write them by hand: nn.Sequential, batches sliced from a
resident tensor, a plain training loop, loss and accuracy accumulated on the device.
The yardstick for `fit`'s overhead.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional as F


class LastStep(nn.Module):
    """An nn.LSTM stack that returns the sequence or its last step; `stateful` carries (h, c) across batches."""

    def __init__(self, inputs, units, layers=1, stateful=False):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, num_layers=layers, batch_first=True)
        self.stateful, self.state = stateful, None

    def forward(self, x):
        y, state = self.lstm(x, self.state)
        if self.stateful:
            self.state = tuple(s.detach() for s in state)
        return y[:, -1]


class Transpose(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


class MeanTime(nn.Module):
    def forward(self, x):
        return x.mean(-1)


def dense(*sizes, drop=None):
    """Linear layers with ReLU, and dropout where it is asked for, between them."""
    parts = []
    for inputs, outputs in itertools.pairwise(sizes[:-1]):
        parts += [nn.Linear(inputs, outputs), nn.ReLU(), *([nn.Dropout(drop)] if drop else [])]
    return [*parts, nn.Linear(*sizes[-2:])]


def convolutions(inputs, first, second):
    """Two convolutions and a pooling, as in the blocks of VGG."""
    return [
        *(nn.Conv2d(inputs, first, 3), nn.ReLU()),
        *(nn.Conv2d(first, second, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25)),
    ]


def conv1d():
    return nn.Sequential(
        *(Transpose(), nn.Conv1d(100, 64, 3), nn.ReLU(), nn.Conv1d(64, 64, 3), nn.ReLU(), nn.MaxPool1d(3)),
        *(nn.Conv1d(64, 128, 3), nn.ReLU(), nn.Conv1d(128, 128, 3), nn.ReLU(), MeanTime()),
        *(nn.Dropout(0.5), nn.Linear(128, 1)),
    )


def vgg():
    head = [nn.Flatten(), *dense(64 * 22 * 22, 256, 10, drop=0.5)]
    return nn.Sequential(*convolutions(3, 32, 32), *convolutions(32, 64, 64), *head)


NETWORKS = {
    "dense100": lambda: nn.Sequential(*dense(100, 32, 1)),
    "mlp_softmax": lambda: nn.Sequential(*dense(20, 64, 64, 10, drop=0.5)),
    "mlp_binary": lambda: nn.Sequential(*dense(20, 64, 64, 1, drop=0.5)),
    "vgg": vgg,
    "imdb_lstm": lambda: nn.Sequential(
        nn.Embedding(20000, 256), LastStep(256, 128), nn.Dropout(0.5), nn.Linear(128, 1)
    ),
    "conv1d": conv1d,
    "stacked_lstm": lambda: nn.Sequential(LastStep(16, 32, layers=3), nn.Linear(32, 10)),
    "stateful_lstm": lambda: nn.Sequential(LastStep(16, 32, layers=3, stateful=True), nn.Linear(32, 10)),
    "mnist_mlp": lambda: nn.Sequential(*dense(784, 512, 512, 10, drop=0.2)),
    "mnist_cnn": lambda: nn.Sequential(*convolutions(1, 32, 64), nn.Flatten(), *dense(64 * 12 * 12, 128, 10, drop=0.5)),
}


def network(name):
    return NETWORKS[name]()


def optimizer(name, parameters):
    if name in ("mlp_softmax", "vgg"):
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True)
    if name == "mnist_cnn":
        return torch.optim.Adadelta(parameters, lr=0.001)
    return torch.optim.RMSprop(parameters, lr=0.001, alpha=0.9, eps=1e-7)


class TorchModel:
    """fit / evaluate / predict over the network above, for the runner."""

    def __init__(self, name, device="cpu", compiled=False):
        self.name, self.device = name, device
        self.net = network(name).to(device)
        self.forward = torch.compile(self.net) if compiled else self.net
        self.opt = optimizer(name, self.net.parameters())
        self.binary = name in ("dense100", "mlp_binary", "imdb_lstm", "conv1d")

    def prepare(self, x, y=None):
        x = torch.as_tensor(x, device=self.device)
        if self.name in ("vgg", "mnist_cnn"):
            x = x.permute(0, 3, 1, 2)  # NCHW view of NHWC storage = channels_last
        if self.name == "imdb_lstm":
            x = x.long()
        return x, None if y is None else torch.as_tensor(y, device=self.device)

    def loss(self, out, y):
        return F.binary_cross_entropy_with_logits(out, y) if self.binary else F.cross_entropy(out, y)

    def correct(self, out, y):
        return ((out > 0) == (y > 0.5)).sum() if self.binary else (out.argmax(-1) == y.argmax(-1)).sum()

    def fit(self, x, y, batch_size, epochs, shuffle=True, verbose=0):
        x, y = self.prepare(x, y)
        n = len(x)
        self.net.train()
        history = []
        for _ in range(epochs):
            order = torch.randperm(n, device=self.device) if shuffle else None
            total, correct = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
            for i in range(0, n, batch_size):
                if order is None:
                    xb, yb = x[i : i + batch_size], y[i : i + batch_size]
                else:
                    rows = order[i : i + batch_size]
                    xb, yb = x[rows], y[rows]
                self.opt.zero_grad(set_to_none=True)
                out = self.forward(xb)
                loss = self.loss(out, yb)
                loss.backward()
                self.opt.step()
                with torch.no_grad():
                    total += loss.detach() * len(xb)
                    correct += self.correct(out, yb)
            history.append((total.item() / n, correct.item() / n))
        return history

    @torch.no_grad()
    def predict(self, x, batch_size, verbose=0):
        x, _ = self.prepare(x)
        self.net.eval()
        outs = [self.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        out = torch.cat(outs)
        return (out.sigmoid() if self.binary else out.softmax(-1)).cpu().numpy()

    @torch.no_grad()
    def evaluate(self, x, y, batch_size, verbose=0):
        x, y = self.prepare(x, y)
        self.net.eval()
        total = correct = 0.0
        for i in range(0, len(x), batch_size):
            out = self.forward(x[i : i + batch_size])
            total += self.loss(out, y[i : i + batch_size]) * len(out)
            correct += self.correct(out, y[i : i + batch_size])
        return float(total) / len(x), float(correct) / len(x)


class GraphedTorchModel(TorchModel):
    """The same loop with its whole step (rows, forward, loss, backward, optimizer, metrics) captured as one CUDA graph.

    This is the ceiling of what a graph of such a step can give: one replay a batch, and one copy of the batch's rows.
    """

    def __init__(self, name, device="cuda"):
        super().__init__(name, device)
        for group in self.opt.param_groups:
            if "capturable" in group:
                group["capturable"] = True
        self.graphs = {}

    def step(self, x, y, rows):
        xb, yb = x[rows], y[rows]
        out = self.net(xb)
        loss = self.loss(out, yb)
        loss.backward()
        self.opt.step()
        self.opt.zero_grad(set_to_none=False)
        with torch.no_grad():
            self.total.add_(loss.detach() * len(xb))
            self.correct_rows.add_(self.correct(out, yb))

    def captured(self, x, y, size):
        """Return the graph of a batch of this size and the rows that it reads; three steps warm it up."""
        key = (x.data_ptr(), size)
        if key not in self.graphs:
            rows = torch.zeros(size, dtype=torch.long, device=self.device)
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self.step(x, y, rows)
            torch.cuda.current_stream().wait_stream(side)
            if hasattr(self.net[0], "state"):
                self.net[0].state = None  # a graph would begin each batch with the warm-up's
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(x, y, rows)
            self.graphs[key] = graph, rows
        return self.graphs[key]

    def fit(self, x, y, batch_size, epochs, shuffle=True, verbose=0):
        if not hasattr(self, "data"):
            self.data = self.prepare(x, y)  # a graph reads the data where they are
            self.total, self.correct_rows = torch.zeros(2, device=self.device).unbind()
        x, y = self.data
        n = len(x)
        self.net.train()
        history = []
        for _ in range(epochs):
            order = torch.randperm(n, device=self.device) if shuffle else torch.arange(n, device=self.device)
            self.total.zero_()
            self.correct_rows.zero_()
            for part in order.split(batch_size):
                graph, rows = self.captured(x, y, len(part))
                rows.copy_(part)
                graph.replay()
            history.append((self.total.item() / n, self.correct_rows.item() / n))
        return history
