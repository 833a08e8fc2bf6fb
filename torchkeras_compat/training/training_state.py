"""All that one `fit` needs to go on in another process: what `BackupAndRestore` keeps.

Weights, optimizer, random numbers, the place in the data, the averages of the epoch and the state of the callbacks come
from one and the same step, and stand in one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .._core.weights import Variable
from ..backend.random import set_streams, streams
from ..callbacks.backup import BackupAndRestore
from ..callbacks.base import Callback
from ..optimizers import Optimizer
from ..saving.backups import Backups
from .compiled_model import CompiledModel
from .data.feeding import Data
from .epoch_state import epoch_state, set_epoch_state
from .loop import Run

FORMAT = 1


class TrainingState:
    """The state of one `fit`, to be backed up and restored.

    Args:
        run: The call.
        model: The model that it trains.
    """

    def __init__(self, run: Run, model: CompiledModel) -> None:
        self.run, self.model = run, model
        self.data: list[Data] = [run.data, *([] if run.validation is None else [run.validation.data])]
        for data in self.data:
            data.keep_position()

    @property
    def finished(self) -> bool:
        """Whether training has come to its end, and was not interrupted."""
        return self.run.finished

    # --- the files -----------------------------------------------------------------------------------------------

    def back_up(self, folder: str, epoch: int, batches: int | None) -> None:
        """Write a backup.

        Args:
            folder: Where.
            epoch: The index of the epoch that comes next, or has begun.
            batches: How many batches of it are past; `None` where it has not begun.

        Raises:
            OSError: It cannot be written; those that are there stay as they are.
        """
        Backups(folder).save(self._state(epoch, batches))

    def restore(self, folder: str) -> Mapping[str, Any] | None:
        """Go on from the newest backup that is whole, and return it; `None` where there is none.

        Raises:
            FileError: There are backups, and none is whole.
            ValueError: The backup is that of another model; nothing is changed then.
        """
        state: Mapping[str, Any] | None = Backups(folder).load()
        if state is None:
            return None
        self._check(state, folder)
        self.put_back(state)
        self._go_to(state)
        return state

    def delete_backups(self, folder: str) -> None:
        """Remove the backups in a folder."""
        Backups(folder).delete()

    # --- what is in them -----------------------------------------------------------------------------------------

    def _state(self, epoch: int, batches: int | None) -> dict[str, Any]:
        model, run = self.model, self.run
        in_midst = batches is not None
        return {
            "format": FORMAT,
            "epoch": epoch,
            "batches": batches,
            "stopped": bool(model.stop_training),
            "weights": _tensors(model),
            "optimizer": _optimizer_state(model.optimizer),
            "generators": [_generator_state(layer) for layer in _drawing(model)],
            "streams": streams(),
            "averages": epoch_state(model, run.step.averages) if in_midst else None,
            "callbacks": [[type(c).__name__, c._get_backup()] for c in run.callbacks if isinstance(c, Callback)],
            "data": [[_position(data).state(), data.source_state()] for data in self.data],
        }

    def _check(self, state: Mapping[str, Any], folder: str) -> None:
        """Raise where a backup does not fit the model and its optimizer."""
        told = f"BackupAndRestore({folder!r}): the backup there is that of another training"
        hint = "give another backup_dir, or delete that folder"
        if state.get("format") != FORMAT:
            raise ValueError(f"{told}, or written by another release: format {state.get('format')!r}; {hint}.")
        ours = [tuple(tensor.shape) for tensor in _tensors(self.model)]
        theirs = [tuple(tensor.shape) for tensor in state["weights"]]
        if ours != theirs:
            raise ValueError(f"{told}: the model has weights of the shapes {ours}, the backup {theirs}; {hint}.")
        name = type(self.model.optimizer).__name__
        if state["optimizer"]["class"] != name:
            raise ValueError(f"{told}: the optimizer is {name}, in the backup {state['optimizer']['class']}; {hint}.")
        if len(state["data"]) != len(self.data):
            raise ValueError(f"{told}: one of both validates, and the other one does not; {hint}.")

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Set all but the place in the data to what a backup has.

        Args:
            state: What `restore` returned.
        """
        model, run = self.model, self.run
        with torch.no_grad():
            for tensor, value in zip(_tensors(model), state["weights"]):
                tensor.copy_(value)
        _set_optimizer_state(model.optimizer, state["optimizer"], run.step.prepare)
        for layer, kept in zip(_drawing(model), state["generators"]):
            _set_generator_state(layer, kept)
        set_streams(state["streams"])
        model.stop_training = state["stopped"]
        by_name: dict[str, list[Any]] = {}
        for name, kept in state["callbacks"]:
            by_name.setdefault(name, []).append(kept)
        for callback in run.callbacks:
            kept = by_name.get(type(callback).__name__)
            if kept and isinstance(callback, Callback):
                callback._set_backup(kept.pop(0))
        for data, (position, _) in reversed(list(zip(self.data, state["data"]))):
            _position(data).set_state(position)  # the random numbers of the training data are those that count

    def _go_to(self, state: Mapping[str, Any]) -> None:
        """Let training go on at the batch behind the backup."""
        run, model, batches = self.run, self.model, state["batches"]
        for data, (_, source_state) in zip(self.data, state["data"]):
            data.go_to_position(source_state)
        run.initial_epoch = state["epoch"]
        if batches is not None:

            def resume_epoch() -> int:
                set_epoch_state(model, run.step, state["averages"])
                return int(batches)

            run.resume_epoch = resume_epoch
        elif model.stop_training:
            run.initial_epoch = run.epochs
        else:
            run.data.end_epoch()  # the backup was written before
        if batches is not None or run.is_one_stream or run.data.counts_samples:
            _position(run.data).go_on()


def _position(data: Data) -> Any:
    return data.position


def _tensors(model: Any) -> list[Tensor]:
    """Return the parameters and buffers of a model, each once, in an order that only the model's structure decides."""
    held = [*nn.Module.parameters(model), *nn.Module.buffers(model)]
    held += [parameter for weight in model._weight_table() for parameter in weight.parameters]
    return list({id(tensor): tensor for tensor in held}.values())


# --- random numbers of layers ----------------------------------------------------------------------------------------


def _drawing(model: Any) -> list[nn.Module]:
    """Return the layers that may draw from a generator of their own."""
    return [module for module in nn.Module.modules(model) if hasattr(module, "_generator")]


def _generator_state(layer: Any) -> tuple[str, Tensor] | None:
    generator = layer._generator
    return None if generator is None else (str(generator.device), generator.get_state())


def _set_generator_state(layer: Any, kept: tuple[str, Tensor] | None) -> None:
    if kept is not None:
        layer._generator = torch.Generator(kept[0])
        layer._generator.set_state(kept[1])
    else:
        layer._generator = None


# --- the optimizer ---------------------------------------------------------------------------------------------------


def _optimizer_state(optimizer: Any) -> dict[str, Any]:
    """Return all that an optimizer has learnt or was told since it was made."""
    state = {"class": type(optimizer).__name__, "torch": optimizer.state_dict()}
    if not isinstance(optimizer, Optimizer):
        return state
    values = optimizer.hyperparameters
    return {
        **state,
        "numbers": dict(values.numbers),
        "options": dict(values.options),
        "variables": [variable.value() for variable in _variables(optimizer)],
    }


def _set_optimizer_state(optimizer: Any, state: Mapping[str, Any], prepare: Any) -> None:
    """Set what `_optimizer_state` returned.

    Args:
        optimizer: The optimizer.
        state: The state.
        prepare: Makes the slots that other numbers and options ask for.
    """
    if not isinstance(optimizer, Optimizer):
        optimizer.load_state_dict(state["torch"])
        return
    values = optimizer.hyperparameters
    for told, known in ((state["numbers"], values.numbers), (state["options"], values.options)):
        for name, value in told.items():
            if name in known and known[name] != value:
                setattr(optimizer, name, value)
    prepare()
    optimizer.load_state_dict(state["torch"])
    for variable, value in zip(_variables(optimizer), state["variables"]):
        variable.assign(value)


def _variables(optimizer: Any) -> list[Variable]:
    """Return the variables that a user's optimizer made, in the order of its attributes."""
    held: dict[int, Variable] = {}
    for value in vars(optimizer).values():
        for one in _inside(value):
            if isinstance(one, Variable):
                held.setdefault(id(one), one)
    return list(held.values())


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, (list, tuple)) else (value,)


def hand_out(run: Run, model: CompiledModel) -> list[BackupAndRestore]:
    """Give the state of a `fit` to the callbacks that keep it, and return those.

    Args:
        run: The call.
        model: The model.
    """
    keepers = [callback for callback in run.callbacks if isinstance(callback, BackupAndRestore)]
    if keepers:
        state = TrainingState(run, model)
        for callback in keepers:
            callback._training_state = state
    return keepers
