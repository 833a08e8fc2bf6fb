"""Dictionaries of metrics in which either spelling of a metric finds its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SPELLINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "acc accuracy",
        "acc accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy",
        "mse MSE mean_squared_error",
        "mae MAE mean_absolute_error",
        "mape MAPE mean_absolute_percentage_error",
        "msle MSLE mean_squared_logarithmic_error",
        "kld KLD kl_divergence kullback_leibler_divergence",
        "bce BCE binary_crossentropy",
        "ce crossentropy binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy",
        "cosine cosine_proximity cosine_similarity",
        "logcosh log_cosh",
        "lr learning_rate",
        "top_k_categorical_accuracy top_k_acc",
    )
)


def find(name: Any, names: Iterable[str]) -> str | None:
    """Return the one of `names` that is `name` in another spelling, if just one is."""
    if not isinstance(name, str):
        return None
    present = list(names)
    for group in SPELLINGS:  # narrower groups stand first
        for metric in sorted(group, key=len, reverse=True):
            prefix = name.removesuffix(metric)  # 'val_', the name of an output, or both
            if prefix == name or (prefix and not prefix.endswith("_")):
                continue
            same = [other for other in present if other.startswith(prefix) and other.removeprefix(prefix) in group]
            if len(same) == 1:
                return same[0]
    return None


class LogValue(float):
    """A number in the logs of an epoch that answers `item()`, as those of classic Keras do, which are numpy's.

    Example:
        >>> LogValue(.5), LogValue(.5).item()
        (0.5, 0.5)
    """

    def item(self) -> float:
        """Return the number."""
        return float(self)


class Logs(dict[str, Any]):
    """A dictionary of metrics; `logs['acc']` finds `'accuracy'` and the reverse.

    Example:
        >>> logs = Logs({'val_accuracy': .5})
        >>> logs['val_acc'], 'val_acc' in logs, logs.get('val_acc'), list(logs)
        (0.5, True, 0.5, ['val_accuracy'])
    """

    def __missing__(self, key: str) -> Any:
        spelling = find(key, self)
        if spelling is None:
            raise KeyError(key)
        return dict.__getitem__(self, spelling)

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or find(key, self) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under either spelling, or `default`."""
        spelling = key if dict.__contains__(self, key) else find(key, self)
        return default if spelling is None else dict.__getitem__(self, spelling)
