"""The rows of an embedding for another vocabulary."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import initializers
from .._core import settings
from .._core.strings import StringTensor
from .._core.user_tensors import hand_out, take_back


def warmstart_embedding_matrix(
    base_vocabulary: Any, new_vocabulary: Any, base_embeddings: Any, new_embeddings_initializer: Any = "uniform"
) -> Tensor:
    """Return a matrix for a new vocabulary: terms that were known keep their rows, the others begin anew.

    Args:
        base_vocabulary: The terms of the rows that there are: a list, an array, or a text file with one a line.
        new_vocabulary: The terms of the rows that are wanted, likewise.
        base_embeddings: The matrix that there is, an array or tensor.
        new_embeddings_initializer: Fills the rows of new terms.

    Raises:
        ValueError: A vocabulary that is not one list, or a matrix with another number of rows than it has terms.

    Example:
        >>> rows = warmstart_embedding_matrix(['a', 'b'], ['b', 'c'], np.array([[1., 2.], [3., 4.]]), 'zeros')
        >>> rows.tolist()
        [[3.0, 4.0], [0.0, 0.0]]
    """
    old, new = (_terms(vocabulary) for vocabulary in (base_vocabulary, new_vocabulary))
    matrix = torch.as_tensor(np.array(base_embeddings) if not isinstance(base_embeddings, Tensor) else base_embeddings)
    matrix = take_back(matrix).detach()
    if matrix.dim() != 2 or len(matrix) != len(old):
        raise ValueError(
            f"warmstart_embedding_matrix: base_embeddings must have a row for each of the {len(old)} terms of "
            f"base_vocabulary; got shape {tuple(matrix.shape)}."
        )
    places = {term: row for row, term in enumerate(old)}
    fill: Any = initializers.get(new_embeddings_initializer)
    rows = take_back(torch.as_tensor(fill((len(new), matrix.shape[1]), dtype=settings.dtype_name(matrix.dtype))))
    rows = rows.detach().to(matrix.device, matrix.dtype).clone()
    kept = [row for row, term in enumerate(new) if term in places]
    rows[kept] = matrix[[places[new[row]] for row in kept]]
    matrix_of_new: Tensor = hand_out(rows)
    return matrix_of_new


def _terms(vocabulary: Any) -> Sequence[Any]:
    """Return the terms of a vocabulary, strings as text."""
    if isinstance(vocabulary, (str, os.PathLike)):
        with open(vocabulary, encoding="utf-8") as file:
            return file.read().splitlines()
    if isinstance(vocabulary, StringTensor):
        vocabulary = vocabulary.numpy()
    terms = np.asarray(vocabulary).tolist()
    if not isinstance(terms, list) or any(isinstance(term, list) for term in terms):
        raise ValueError(
            f"warmstart_embedding_matrix: a vocabulary is a list of terms; got shape {np.shape(vocabulary)}."
        )
    return [term.decode() if isinstance(term, bytes) else term for term in terms]
