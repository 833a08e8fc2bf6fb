"""The product of a recurrent layer's state with its weights, with dropout of the state or without.

Dropout draws one mask for a whole sequence: one for all gates, or one for each gate, whose products are apart then.
`Product` is recorded by autograd; the others are for walks whose gradient is written out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..._core.linear_products import weight_gradient

Grad = Tensor | None


def flat_steps(x: Tensor) -> Tensor:
    """Return (steps, batch, n) as (steps · batch, n)."""
    return x.reshape(-1, x.shape[-1])


class Product:
    """The product, added to something, by gates where dropout is by gates."""

    def __init__(self, r: Tensor, drop: Grad) -> None:
        self.units, self.drop = r.shape[1], drop
        self.by_gate = drop is not None and drop.shape[0] > 1
        self.weights = r.view(-1, self.units, self.units).transpose(1, 2) if self.by_gate else r.t()

    def __call__(self, base: Tensor | None, h: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Return `base + h · r` for the gates `first` to `last`, (batch, gates · units).

        Args:
            base: (batch, gates · units) or (gates · units,); `None` adds nothing.
            h: (batch, units).
            first: The first gate.
            last: The gate after the last one.
        """
        whole = first == 0 and last is None  # of which no slices are taken: each would cost its gradient at each step
        if self.by_gate and self.drop is not None:
            drop, w = (self.drop, self.weights) if whole else (self.drop[first:last], self.weights[first:last])
            y = torch.bmm(h * drop, w).transpose(0, 1).flatten(1)
            return y if base is None else y + base
        if self.drop is not None:
            h = h * self.drop[0]
        w = self.weights if whole else self.weights[:, first * self.units : None if last is None else last * self.units]
        return h @ w if base is None else torch.addmm(base, h, w)


class WrittenProduct:
    """The product and its gradients without dropout, nothing of which is recorded.

    Args:
        r: The recurrent weights, (gates · units, units).
    """

    def __init__(self, r: Tensor) -> None:
        self.r, self.turned = r, r.t()

    @property
    def units(self) -> int:
        """The size of the state."""
        return self.r.shape[1]

    def gates(self, first: int, last: int) -> WrittenProduct:
        """Return that of the gates from one to the one before another."""
        return WrittenProduct(self.r[first * self.units : last * self.units])

    def add(self, z: Tensor, h: Tensor) -> Tensor:
        """Add the product of a state, (batch, units), to something, (batch, gates · units), and return that."""
        return z.addmm_(h, self.turned)

    def add_gradient(self, dh: Tensor, dz: Tensor) -> Tensor:
        """Add the gradient of the state, from that of the product, to something, and return that."""
        return dh.addmm_(dz, self.r)

    def gradient(self, dz: Tensor, base: Grad = None) -> Tensor:
        """Return the gradient of the state, from that of the product, and something beside it."""
        return dz @ self.r if base is None else torch.addmm(base, dz, self.r)

    def of_weights(self, dz: Tensor, h: Tensor) -> Tensor:
        """Return the gradient of the weights, from that of the products of all steps and the states before them."""
        return weight_gradient(flat_steps(dz), flat_steps(h))


class MaskedProduct(WrittenProduct):
    """The product of a state that dropout has gone over.

    Args:
        r: The recurrent weights, (gates · units, units).
        mask: What multiplies the state, (batch, units).
    """

    def __init__(self, r: Tensor, mask: Tensor) -> None:
        super().__init__(r)
        self.mask = mask

    def gates(self, first: int, last: int) -> WrittenProduct:
        """Return that of some gates."""
        return MaskedProduct(self.r[first * self.units : last * self.units], self.mask)

    def add(self, z: Tensor, h: Tensor) -> Tensor:
        """Add the product of a state; see `WrittenProduct`."""
        return z.addmm_(h * self.mask, self.turned)

    def add_gradient(self, dh: Tensor, dz: Tensor) -> Tensor:
        """Add the gradient of the state; see `WrittenProduct`."""
        return dh.addcmul_(dz @ self.r, self.mask)

    def gradient(self, dz: Tensor, base: Grad = None) -> Tensor:
        """Return the gradient of the state; see `WrittenProduct`."""
        of_product = dz @ self.r
        return of_product.mul_(self.mask) if base is None else torch.addcmul(base, of_product, self.mask)

    def of_weights(self, dz: Tensor, h: Tensor) -> Tensor:
        """Return the gradient of the weights; see `WrittenProduct`."""
        return super().of_weights(dz, h * self.mask)


class GatewiseProduct(WrittenProduct):
    """The product of a state that dropout has gone over for each gate by itself.

    Args:
        r: The recurrent weights, (gates · units, units).
        masks: What multiplies the state, (gates, batch, units).
    """

    def __init__(self, r: Tensor, masks: Tensor) -> None:
        super().__init__(r)
        self.masks, self.weights = masks, r.view(len(masks), -1, r.shape[1])
        self.turned = self.weights.transpose(1, 2)

    def _by_gate(self, z: Tensor) -> Tensor:
        """Return (…, gates · units) as (gates, …, units)."""
        return z.view(*z.shape[:-1], len(self.masks), self.units).movedim(-2, 0)

    def gates(self, first: int, last: int) -> WrittenProduct:
        """Return that of some gates."""
        return written_product(self.r[first * self.units : last * self.units], self.masks[first:last])

    def add(self, z: Tensor, h: Tensor) -> Tensor:
        """Add the product of a state; see `WrittenProduct`."""
        self._by_gate(z).baddbmm_(h * self.masks, self.turned)
        return z

    def add_gradient(self, dh: Tensor, dz: Tensor) -> Tensor:
        """Add the gradient of the state; see `WrittenProduct`."""
        return dh.add_(self.gradient(dz))

    def gradient(self, dz: Tensor, base: Grad = None) -> Tensor:
        """Return the gradient of the state; see `WrittenProduct`."""
        of_state = torch.bmm(self._by_gate(dz), self.weights).mul_(self.masks).sum(0)
        return of_state if base is None else of_state.add_(base)

    def of_weights(self, dz: Tensor, h: Tensor) -> Tensor:
        """Return the gradient of the weights; see `WrittenProduct`."""
        of_products = self._by_gate(dz).flatten(1, 2)
        states = (h * self.masks.unsqueeze(1)).flatten(1, 2)
        return torch.bmm(of_products.transpose(1, 2), states).flatten(0, 1)


def written_product(r: Tensor, drop: Grad = None) -> WrittenProduct:
    """Return the product that dropout, (1 or gates, batch, units), makes of that with the recurrent weights."""
    if drop is None:
        return WrittenProduct(r)
    return MaskedProduct(r, drop[0]) if len(drop) == 1 else GatewiseProduct(r, drop)
