"""`RNN` over cells: Keras's own, several in a row, and users' (`user_cells.py`), with masks, states and constants."""

from __future__ import annotations

from typing import Any

from .common import Case, case

_SHAPE = [6, 3]


def _rnn(name: str, cells: list[Any], mask: str | None = None, **fields: Any) -> Case:
    """Describe a case.

    Args:
        name: Its name.
        cells: Pairs of a class and its arguments; one by itself is no list of cells.
        mask: Which steps are masked: `left`, `right`, `middle` or `mixed`.
        fields: `states` (first states are given), `constants`, `training`, `listed` (all inputs in one list), and the
            arguments of `RNN`.
    """
    flags = {key: fields.pop(key, False) for key in ("states", "constants", "training", "listed", "stateful")}
    rate = 0.01 if cells == _USERS["memory"] else 0.1  # its sums are large, and a curve that diverges proves nothing
    return case(f"rnn_{name}", cells=cells, mask=mask, shape=_SHAPE, rnn=fields, rate=rate, **flags)


_KERAS: dict[str, list[Any]] = {
    "simple": [["SimpleRNNCell", {"units": 4}]],
    "lstm": [["LSTMCell", {"units": 4}]],
    "lstm_hard": [["LSTMCell", {"units": 4, "recurrent_activation": "hard_sigmoid", "use_bias": False}]],
    "gru": [["GRUCell", {"units": 4}]],
    "gru_before": [["GRUCell", {"units": 4, "reset_after": False}]],
    "stacked": [["LSTMCell", {"units": 4}], ["GRUCell", {"units": 3}], ["SimpleRNNCell", {"units": 2}]],
    "stacked_lstms": [["LSTMCell", {"units": 4}], ["LSTMCell", {"units": 3, "unit_forget_bias": False}]],
}
_USERS: dict[str, list[Any]] = {
    "minimal": [["MinimalCell", {"units": 4}]],
    "memory": [["MemoryCell", {"units": 4, "features": 3}]],
    "wrapped": [["WrappedCell", {"units": 4}]],
    "mixed_stack": [["LSTMCell", {"units": 4}], ["MinimalCell", {"units": 3}], ["GRUCell", {"units": 2}]],
}
_CONSTANTS = [["ConstantsCell", {"units": 4}]]


def _cases() -> list[Case]:
    cases = []
    for name, cells in {**_KERAS, **_USERS}.items():
        cases += [
            _rnn(f"{name}_last", cells),
            _rnn(f"{name}_all", cells, return_sequences=True, return_state=True, states=True),
            _rnn(f"{name}_backwards", cells, "mixed", return_sequences=True, go_backwards=True, return_state=True),
            _rnn(f"{name}_masked", cells, "mixed", return_state=True, states=True, listed=True),
            _rnn(f"{name}_zeroed", cells, "mixed", return_sequences=True, zero_output_for_mask=True),
            _rnn(f"{name}_zeroed_last", cells, "right", zero_output_for_mask=True, return_state=True),
            _rnn(f"{name}_stateful", cells, "middle", stateful=True, return_state=True),
        ]
    return [
        *cases,
        _rnn("memory_training", _USERS["memory"], "left", return_sequences=True, training=True),
        _rnn("minimal_time_major", _USERS["minimal"], "left", return_sequences=True, time_major=True),
        _rnn("gru_time_major", _KERAS["gru"], "left", return_state=True, time_major=True),
        _rnn("minimal_unroll", _USERS["minimal"], "mixed", return_sequences=True, unroll=True),
        _rnn("constants_all", _CONSTANTS, "mixed", return_sequences=True, constants=True),
        _rnn("constants_listed", _CONSTANTS, return_state=True, states=True, constants=True),
        _rnn("constants_stack", [["LSTMCell", {"units": 3}], *_CONSTANTS], return_state=True, constants=True),
    ]


CELLS: list[Case] = _cases()
