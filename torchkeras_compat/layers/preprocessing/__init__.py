"""Layers that prepare data as a part of the model: numbers, categories, text, and pictures."""

from __future__ import annotations

from .base import PreprocessingLayer
from .encoding import CategoryEncoding, Discretization
from .hashing import HashedCrossing, Hashing
from .lookups import IntegerLookup, StringLookup
from .pictures import CenterCrop, Resizing
from .random_pictures import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from .scaling import Normalization, Rescaling
from .text import TextVectorization

__all__ = [
    "CategoryEncoding",
    "CenterCrop",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "Normalization",
    "PreprocessingLayer",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomHeight",
    "RandomRotation",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "StringLookup",
    "TextVectorization",
]
