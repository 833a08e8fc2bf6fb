"""FarmHash's `Fingerprint64` of bytes, by which TensorFlow puts strings into bins.

Source: FarmHash 1.1 (Geoff Pike, Google, 2014; MIT licence), `farmhashna::Hash64`, whose results never change.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _word(s: bytes, at: int) -> int:
    return int.from_bytes(s[at : at + 8], "little")


def _half(s: bytes, at: int) -> int:
    return int.from_bytes(s[at : at + 4], "little")


def _rotated(value: int, shift: int) -> int:
    return ((value >> shift) | (value << (64 - shift))) & _MASK


def _mixed(value: int) -> int:
    return value ^ (value >> 47)


def _of_pair(u: int, v: int, factor: int) -> int:
    a = _mixed(((u ^ v) * factor) & _MASK)
    b = _mixed(((v ^ a) * factor) & _MASK)
    return (b * factor) & _MASK


def _up_to_16(s: bytes) -> int:
    n = len(s)
    factor = _K2 + n * 2
    if n >= 8:
        a, b = _word(s, 0) + _K2, _word(s, n - 8)
        c = _rotated(b, 37) * factor + a
        d = (_rotated(a & _MASK, 25) + b) * factor
        return _of_pair(c & _MASK, d & _MASK, factor)
    if n >= 4:
        return _of_pair(n + (_half(s, 0) << 3), _half(s, n - 4), factor)
    if n:
        y = s[0] + (s[n >> 1] << 8)
        z = n + (s[-1] << 2)
        return (_mixed(((y * _K2) ^ (z * _K0)) & _MASK) * _K2) & _MASK
    return _K2


def _up_to_32(s: bytes) -> int:
    n = len(s)
    factor = _K2 + n * 2
    a, b = (_word(s, 0) * _K1) & _MASK, _word(s, 8)
    c, d = (_word(s, n - 8) * factor) & _MASK, (_word(s, n - 16) * _K2) & _MASK
    first = _rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d
    second = a + _rotated((b + _K2) & _MASK, 18) + c
    return _of_pair(first & _MASK, second & _MASK, factor)


def _up_to_64(s: bytes) -> int:
    n = len(s)
    factor = _K2 + n * 2
    a, b = (_word(s, 0) * _K2) & _MASK, _word(s, 8)
    c, d = (_word(s, n - 8) * factor) & _MASK, (_word(s, n - 16) * _K2) & _MASK
    y = (_rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d) & _MASK
    z = _of_pair(y, (a + _rotated((b + _K2) & _MASK, 18) + c) & _MASK, factor)
    e, f = (_word(s, 16) * factor) & _MASK, _word(s, 24)
    g, h = ((y + _word(s, n - 32)) * factor) & _MASK, ((z + _word(s, n - 24)) * factor) & _MASK
    first = _rotated((e + f) & _MASK, 43) + _rotated(g, 30) + h
    second = e + _rotated((f + a) & _MASK, 18) + g
    return _of_pair(first & _MASK, second & _MASK, factor)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(s, at + 8 * i) for i in range(4))
    a = (a + w) & _MASK
    b = _rotated((b + a + z) & _MASK, 21)
    c = a
    a = (a + x + y) & _MASK
    b = (b + _rotated(a, 44)) & _MASK
    return (a + z) & _MASK, (b + c) & _MASK


def _long(s: bytes) -> int:
    n, seed = len(s), 81
    x, y = seed, (seed * _K1 + 113) & _MASK
    z = (_mixed((y * _K2 + 113) & _MASK) * _K2) & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(s, 0)) & _MASK
    end = ((n - 1) // 64) * 64
    last = end + ((n - 1) & 63) - 63
    for at in range(0, end, 64):
        x = (_rotated((x + y + v[0] + _word(s, at + 8)) & _MASK, 37) * _K1) & _MASK
        y = (_rotated((y + v[1] + _word(s, at + 48)) & _MASK, 42) * _K1) & _MASK
        x ^= w[1]
        y = (y + v[0] + _word(s, at + 40)) & _MASK
        z = (_rotated((z + w[0]) & _MASK, 33) * _K1) & _MASK
        v = _weak(s, at, (v[1] * _K1) & _MASK, (x + w[0]) & _MASK)
        w = _weak(s, at + 32, (z + w[1]) & _MASK, (y + _word(s, at + 16)) & _MASK)
        z, x = x, z
    factor = (_K1 + ((z & 0xFF) << 1)) & _MASK
    w = ((w[0] + ((n - 1) & 63)) & _MASK, w[1])
    v = ((v[0] + w[0]) & _MASK, v[1])
    w = ((w[0] + v[0]) & _MASK, w[1])
    x = (_rotated((x + y + v[0] + _word(s, last + 8)) & _MASK, 37) * factor) & _MASK
    y = (_rotated((y + v[1] + _word(s, last + 48)) & _MASK, 42) * factor) & _MASK
    x ^= (w[1] * 9) & _MASK
    y = (y + v[0] * 9 + _word(s, last + 40)) & _MASK
    z = (_rotated((z + w[0]) & _MASK, 33) * factor) & _MASK
    v = _weak(s, last, (v[1] * factor) & _MASK, (x + w[0]) & _MASK)
    w = _weak(s, last + 32, (z + w[1]) & _MASK, (y + _word(s, last + 16)) & _MASK)
    z, x = x, z
    first = (_of_pair(v[0], w[0], factor) + _mixed(y) * _K0 + z) & _MASK
    return _of_pair(first, (_of_pair(v[1], w[1], factor) + x) & _MASK, factor)


def fingerprint64(text: bytes) -> int:
    """Return the fingerprint, an unsigned integer of 64 bits.

    Args:
        text: The bytes.

    Example:
        >>> fingerprint64(b'')
        11160318154034397263
    """
    n = len(text)
    if n <= 16:
        return _up_to_16(text)
    if n <= 32:
        return _up_to_32(text)
    return _up_to_64(text) if n <= 64 else _long(text)


def joined_fingerprint(first: int, second: int) -> int:
    """Return the fingerprint of two fingerprints, in this order.

    Args:
        first: An unsigned integer of 64 bits.
        second: Another one.

    Source:
        TensorFlow 2.15, `FingerprintCat64`, after MurmurHash 2 (Appleby).

    Example:
        >>> joined_fingerprint(1, 2) == joined_fingerprint(2, 1)
        False
    """
    factor = 0xC6A4A7935BD1E995
    result = first ^ factor ^ ((_mixed((second * factor) & _MASK) * factor) & _MASK)
    result = (_mixed((result * factor) & _MASK) * factor) & _MASK
    return _mixed(result)
