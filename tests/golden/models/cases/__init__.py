"""The tables of cases, by family: each is a file of golden numbers."""

from __future__ import annotations

from ..case import Case
from . import (
    attention,
    branches,
    heads,
    masks,
    nested,
    operations,
    penalties,
    seq2seq,
    subclassed,
    user_layers,
    wrappers,
)

FAMILIES: dict[str, list[Case]] = {
    "branches": branches.TABLE,
    "nested": nested.TABLE,
    "masks": masks.TABLE,
    "wrappers": wrappers.TABLE,
    "seq2seq": seq2seq.TABLE,
    "heads": heads.TABLE,
    "penalties": penalties.TABLE,
    "operations": operations.TABLE,
    "subclassed": subclassed.TABLE,
    "user_layers": user_layers.TABLE,
    "attention": attention.TABLE,
}
