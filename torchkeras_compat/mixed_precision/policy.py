"""`Policy`: the type in which a layer computes, and the type in which it keeps its weights."""

from __future__ import annotations

from typing import Any

from .._core import settings
from .._core.config import Configurable
from .._core.errors import did_you_mean, show
from .._core.settings import dtype_name, torch_dtype

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
FLOATING = ("float16", "bfloat16", "float32", "float64")
# The names under which configurations hold a policy: Keras 2.15's, and that of tf.keras up to 2.3.
CLASS_NAMES = ("Policy", "PolicyV1")


class Policy(Configurable):
    """The type in which a layer computes, and the type in which it keeps its weights.

    Args:
        name: `'mixed_float16'` or `'mixed_bfloat16'` (computing in the short type, weights in float32), or the name of
            a type, which is both.

    Raises:
        TypeError: The name is no string.
        ValueError: No policy has this name.

    Source:
        Keras 2.15; Micikevicius et al., 2018.

    Example:
        >>> from torchkeras_compat.mixed_precision import Policy
        >>> policy = Policy('mixed_bfloat16')
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"Policy: name must be a string; got {show(name)}.")
        if name not in MIXED and name not in settings.DTYPES:
            hint = did_you_mean(name, [*MIXED, *FLOATING])
            raise ValueError(
                f"Policy(name={name!r}): name must be 'mixed_float16', 'mixed_bfloat16' or the name of a type such as "
                f"'float32'; {hint}"
            )
        self._name = name

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The type in which a layer computes."""
        return MIXED.get(self._name, self._name)

    @property
    def variable_dtype(self) -> str:
        """The type in which a layer keeps its weights."""
        return "float32" if self.is_mixed else self._name

    @property
    def is_mixed(self) -> bool:
        """Whether the two types differ."""
        return self._name in MIXED

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal policy."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Policy:
        """Make a policy from what `get_config` returned.

        Args:
            config: A dictionary; what older Keras kept beside the name, the loss scale, stands with the optimizer now.
        """
        return cls(config["name"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and other.name == self._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<Policy "{self._name}">'


def global_policy() -> Policy:
    """Return the policy of layers that are made without `dtype`: what was set, else that of `floatx()`.

    Example:
        >>> from torchkeras_compat import mixed_precision
        >>> mixed_precision.global_policy()
        <Policy "float32">
    """
    policy: Policy | None = settings.dtype_policy()
    return Policy(settings.floatx()) if policy is None else policy


def set_global_policy(policy: Policy | str | None) -> None:
    """Set the policy of layers that are made from now on without `dtype`; those that exist keep theirs.

    Args:
        policy: A policy or its name; `None` is that of `floatx()` again.

    Raises:
        TypeError: Neither a policy nor a string.
        ValueError: No policy has this name, or it is one of integers.

    Example:
        >>> from torchkeras_compat import layers, mixed_precision
        >>> mixed_precision.set_global_policy('mixed_bfloat16')
        >>> dense = layers.Dense(2)
        >>> dense.compute_dtype, dense.dtype
        ('bfloat16', 'float32')
        >>> mixed_precision.set_global_policy(None)
    """
    if policy is not None and not isinstance(policy, Policy):
        policy = Policy(policy)
    if policy is not None and policy.compute_dtype not in FLOATING:
        raise ValueError(
            f"set_global_policy({policy.name!r}): a global policy must be one of floats, such as 'float32' or "
            f"'mixed_float16'."
        )
    settings.set_dtype_policy(policy)


def policy_of(dtype: Any) -> Policy:
    """Return the policy that the argument `dtype` of a layer stands for.

    Args:
        dtype: A policy, its name or configuration, a type, or `None` for the global policy.

    Raises:
        ValueError: No type and no policy has this name.

    Example:
        >>> from torchkeras_compat.mixed_precision.policy import policy_of
        >>> policy_of({'class_name': 'Policy', 'config': {'name': 'mixed_float16'}})
        <Policy "mixed_float16">
    """
    if dtype is None:
        return global_policy()
    if isinstance(dtype, Policy):
        return dtype
    if isinstance(dtype, dict) and dtype.get("class_name") in CLASS_NAMES:
        return Policy.from_config(dtype["config"])
    if isinstance(dtype, str) and dtype in MIXED:
        return Policy(dtype)
    return Policy(dtype_name(torch_dtype(dtype)))
