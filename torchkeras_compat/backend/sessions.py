"""`get_session` and `set_session`: TensorFlow's sessions, of which there are none."""

from __future__ import annotations

from typing import Any, NoReturn

from .._core.border import warn_once


def set_session(session: Any) -> None:
    """Accept a session; warns once that it has no effect.

    Args:
        session: Anything.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     set_session(None)
    """
    warn_once("K.set_session", "session", "has no effect: there are no sessions, and memory is taken as it is needed.")


def get_session() -> NoReturn:
    """Refuse: there are no sessions.

    Raises:
        RuntimeError: Always; names what to write.
    """
    raise RuntimeError(
        "K.get_session(): there are no sessions, tensors have their values at once; write K.get_value(x) or K.eval(x) "
        "for session.run(x), K.function([model.input], [x]) for values of a graph, and leave "
        "session.run(tf.global_variables_initializer()) out."
    )
