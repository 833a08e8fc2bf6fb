"""`Texts`: arrays of strings with the manners of TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np

Base = np.ndarray[Any, Any]


class Texts(Base):
    """An array of strings, as bytes; torch has no tensors of them.

    Example:
        >>> batch = Texts.of(['a b', 'c'])
        >>> batch.shape, batch.numpy()[1], batch[0].numpy()
        ((2,), b'c', b'a b')
    """

    @classmethod
    def of(cls, texts: Any) -> Texts:
        """Return strings or bytes as one.

        Args:
            texts: An array or list of them, or one.
        """
        array = np.asarray(texts, dtype=object)
        encoded = np.empty(array.shape, dtype=object)
        for place, text in np.ndenumerate(array):
            encoded[place] = text.encode() if isinstance(text, str) else text
        return encoded.view(cls)

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return part if isinstance(part, Texts) else Texts.of(part)

    def __repr__(self) -> str:
        return f"Texts({np.asarray(self)})"

    def numpy(self) -> Any:
        """Return a numpy array of bytes; the bytes themselves of one string."""
        return np.asarray(self) if self.ndim else self.item()
