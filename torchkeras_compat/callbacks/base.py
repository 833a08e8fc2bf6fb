"""`Callback`, the hooks around training, and `CallbackList`, which calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from .._core import registry
from .._core.config import Configurable
from .._core.errors import show
from .._core.logs import Logs

_BATCH_HOOKS = {
    "train": ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


@registry.base("callback")
class Callback(Configurable):
    """Base of all callbacks: override the hooks you need; `__init__` need not be called by a subclass.

    `self.model` is the model and `self.params` a dictionary with `epochs`, `steps`, `samples`, `batch_size`, `verbose`,
    `do_validation` and `metrics`.  Numbers in `logs` are floats.  `self.validation_data` is `[x, y, sample_weight]`
    where `fit` validates on arrays.

    Example:
        >>> import numpy as np
        >>> import torchkeras_compat as keras
        >>> class Names(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
        >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
        >>> model.compile('sgd', 'mse')
        >>> _ = model.fit(np.zeros((4, 2)), np.zeros(4), epochs=1, verbose=0, callbacks=[Names()])
        0 ['loss']
    """

    model: Any = None
    params: Mapping[str, Any] = MappingProxyType({})  # a subclass may not call super().__init__()
    validation_data: Any = None
    _backed_up: ClassVar[tuple[str, ...]] = ()  # the attributes that a backup of the training keeps
    _runs_last: ClassVar[bool] = False  # whether its hooks follow those of all others, wherever it stands in the list

    def __init__(self) -> None:
        self.params = {}

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self.model = model

    def _idle_hooks(self) -> tuple[Any, ...]:
        """Return the methods that do nothing as this object was made; where only such ones stand, none is called."""
        return ()

    def _reads_logs(self, size: int) -> bool:
        """Tell whether the hook behind a batch of so many samples looks at what the device has to tell for it."""
        return True

    def _get_backup(self) -> dict[str, Any]:
        """Return what training that is resumed has to know of this callback."""
        return {name: getattr(self, name) for name in self._backed_up if hasattr(self, name)}

    def _set_backup(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Any = None) -> None:
        """Run before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """Run after training."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Run before the epoch with index `epoch`."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Run after the epoch with index `epoch`, validation included."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Run before a training batch (the classic name of `on_train_batch_begin`)."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Run after a training batch (the classic name of `on_train_batch_end`)."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Run before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Run after a training batch."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Run before evaluation or validation."""

    def on_test_end(self, logs: Any = None) -> None:
        """Run after evaluation or validation."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Run before an evaluation batch."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Run after an evaluation batch."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Run before prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Run after prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Run before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Run after a prediction batch; `logs['outputs']` holds the predictions."""


def has_hook(callback: Any, names: Iterable[str]) -> bool:
    """Tell whether a callback does something in one of these hooks."""
    idle = callback._idle_hooks() if isinstance(callback, Callback) else ()
    return any(
        name in vars(callback) or getattr(type(callback), name, None) not in (None, getattr(Callback, name), *idle)
        for name in names
    )


class ValidationArrays(list[Any]):
    """`[x, y, sample_weight]` of the validation data, as classic Keras hands it to callbacks."""


class CallbackList:
    """The callbacks of one run; the loop calls this, and this calls them in order.

    Args:
        callbacks: A callback, a list of them, or a `CallbackList`.
        add_history: Whether the model's `History` is added.
        add_progbar: Accepted; the loop draws the progress itself.
        model: The model.
        params: What callbacks find in `self.params`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        listed = callbacks.callbacks if isinstance(callbacks, CallbackList) else callbacks
        items = list(listed) if isinstance(listed, (list, tuple)) else [] if listed is None else [listed]
        self.callbacks: list[Any] = [_checked(item) for item in items]
        if add_history:  # always one of our own, whatever a user's History does
            self.history = registry.lookup("callback", "History")()
            self.callbacks.append(self.history)
        self._sort()
        self.params: dict[str, Any] = {}
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback: Any) -> None:
        """Add a callback."""
        self.callbacks.append(_checked(callback))
        self._sort()

    def _sort(self) -> None:
        self.callbacks.sort(key=lambda callback: bool(getattr(callback, "_runs_last", False)))

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand the parameters of the run to every callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model to every callback."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def set_validation_data(self, arrays: ValidationArrays | None, replace: bool) -> None:
        """Hand the validation data to every callback.

        Args:
            arrays: What to hand out; `None` where there are no arrays.
            replace: Whether arrays replace what a callback has set itself.
        """
        for callback in self.callbacks:
            own = getattr(callback, "validation_data", None)
            if own is None or isinstance(own, ValidationArrays) or (replace and arrays):
                callback.validation_data = arrays

    def wants_batches(self, mode: str) -> bool:
        """Tell whether some callback has a batch hook of `'train'`, `'test'` or `'predict'`; else none is called."""
        return any(has_hook(c, _BATCH_HOOKS[mode]) for c in self.callbacks)

    def reader(self, mode: str) -> Callable[[int], bool]:
        """Return what tells whether some callback with such a hook looks at the values of a batch of some size."""
        hooked = [c for c in self.callbacks if has_hook(c, _BATCH_HOOKS[mode])]
        return lambda size: any(not isinstance(c, Callback) or c._reads_logs(size) for c in hooked)

    def call(self, hook: str, *args: Any, logs: Mapping[str, Any] | None = None) -> None:
        """Call a hook of every callback with a dictionary of plain floats."""
        shared = logs if isinstance(logs, Logs) else Logs(logs or {})
        for callback in self.callbacks:
            method = getattr(callback, hook, None)
            if method is not None:
                method(*args, shared)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)


def _checked(item: Any) -> Any:
    if isinstance(item, type):
        raise TypeError(f"callbacks: {item.__name__} is the class; write {item.__name__}(…).")
    if not all(hasattr(item, name) for name in ("set_params", "set_model")):
        raise TypeError(f"callbacks must be Callback objects; got {show(item)}.")
    return item


# Classic names of hooks → those that reach every callback, since `Callback` hands the new ones on to the old ones.
_RENAMED = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}


def _forwarder(hook: str) -> Any:
    called = _RENAMED.get(hook, hook)

    def forward(self: CallbackList, *args: Any, logs: Any = None, **named: Any) -> None:
        args = (*args, *named.values())  # `epoch=`, `batch=`
        positional = args[:-1] if args and (args[-1] is None or isinstance(args[-1], Mapping)) else args
        self.call(called, *positional, logs=logs if logs is not None else (args[-1] if args != positional else None))

    forward.__name__, forward.__doc__ = hook, f"Call `{hook}` of every callback."
    return forward


for _hook in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _hook, _forwarder(_hook))
