"""Sessions, as scripts of TensorFlow 1 have them: they compute values of tensors, and nothing else is in them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from .._core.border import warn_once
from .._core.errors import show
from .._core.symbolic import SymbolicTensor, inputs_before
from .._core.tree import flatten, map_tree
from .._core.weights import Initialization
from .graph import function
from .variables import value_of


class Operation:
    """What a session runs for its effect alone, such as `tf.global_variables_initializer()`.

    Variables have their first values from the start, so that an initialisation leaves them as they are: what has been
    trained or loaded stays.
    """

    def run(self, feed_dict: Mapping[Any, Any] | None = None, session: Session | None = None) -> None:
        """Do nothing.

        Args:
            feed_dict: Accepted for TensorFlow's sake.
            session: Likewise.
        """


class Session:
    """Computes values of tensors, as `tf.Session` does.

    Args:
        graph: Accepted; there is one graph, and all see it.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat import backend as K
        >>> x = K.placeholder((None, 2))
        >>> total = K.sum(x)
        >>> with Session() as session:
        ...     session.run(total, feed_dict={x: np.ones((3, 2))})
        np.float32(6.0)
    """

    def __init__(self, graph: Any = None) -> None:
        self.graph = graph

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, **options: Any) -> Any:
        """Return the values of tensors, computed together in one pass.

        Args:
            fetches: A symbolic tensor, a variable, a tensor or an operation, or a list or dictionary of such.
            feed_dict: Symbolic tensor → its value; `K.learning_phase()` among them tells the mode.
            options: `options` and `run_metadata` of TensorFlow, which trace what it does there; refused.

        Raises:
            TypeError: Something else is to be computed or fed.
        """
        if options:
            raise TypeError(f"Session.run({', '.join(options)}=…): leave it out; torch.profiler tells what takes time.")
        for fetch in flatten(fetches):
            if not isinstance(fetch, (SymbolicTensor, Tensor, Operation, Initialization)) and not hasattr(
                fetch, "_set"
            ):
                raise TypeError(f"Session.run: a tensor or variable must be there to be computed; got {show(fetch)}.")
        symbols = [fetch for fetch in flatten(fetches) if isinstance(fetch, SymbolicTensor)]
        # A phase that was fixed is a number, and nothing is to be fed.
        feed = {tensor: value for tensor, value in (feed_dict or {}).items() if not isinstance(tensor, int)}
        feed |= _drawn(symbols, feed)
        computed = iter(function(list(feed), symbols)(list(feed.values())) if symbols else ())

        def value(fetch: Any) -> Any:
            if isinstance(fetch, SymbolicTensor):
                return next(computed)
            return fetch.run() if isinstance(fetch, (Operation, Initialization)) else value_of(fetch)

        return map_tree(value, fetches)

    def close(self) -> None:
        """Do nothing: a session holds nothing."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Session]:
        """Make this the session that `get_session` returns, in the block."""
        before = _current[0]
        _current[0] = self
        try:
            yield self
        finally:
            _current[0] = before

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _drawn(symbols: list[SymbolicTensor], feed: Mapping[Any, Any]) -> dict[SymbolicTensor, Any]:
    """Return the values of inputs that data sets give: of each data set one element for a run."""
    inputs = [(tensor, *tensor.drawn_by) for tensor in inputs_before(symbols) if tensor.drawn_by and tensor not in feed]
    iterators = {id(iterator): iterator for _, iterator, _ in inputs}
    elements = {key: flatten(iterator.next_element()) for key, iterator in iterators.items()}
    return {tensor: elements[id(iterator)][place] for tensor, iterator, place in inputs}


_current = [Session()]


def set_session(session: Any) -> None:
    """Make a session the one that `get_session` returns.

    Args:
        session: A `tf.Session`, or `None` for a new one; anything else has no effect, which is told once.

    Example:
        >>> set_session(Session())
    """
    if session is None or isinstance(session, Session):
        _current[0] = session or Session()
        return
    warn_once("K.set_session", "session", "has no effect: there are no sessions, and memory is taken as it is needed.")


def get_session() -> Session:
    """Return the session, whose `run` computes values of tensors.

    Example:
        >>> from torchkeras_compat import backend as K
        >>> get_session().run(K.variable([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    return _current[0]
