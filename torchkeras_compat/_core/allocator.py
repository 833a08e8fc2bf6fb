"""Memory that steps free is kept for the next step instead of going back to the system.

By default glibc returns large free blocks to the system, which hands them out again page by page, each filled with
zeros: 10,000 pages a step for a small convolution network, a fifth of its time.
"""

from __future__ import annotations

import ctypes
import functools
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's numbers of these parameters, in its malloc.h
KEPT = 1 << 30  # bytes at the end of the heap beyond which free memory still goes back
LARGEST_KEPT = 32 << 20  # bytes of a block, glibc's upper limit; a larger one goes back as soon as it is freed
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_")


@functools.cache
def keep_freed_memory() -> bool:
    """Let the process keep up to a gigabyte that it freed; tell whether that was to be had.

    Nothing changes without glibc, or where the environment says how its allocator is to behave.

    Source:
        https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    told = any(name in os.environ for name in SETTINGS) or "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", "")
    if told or not _has_glibc():
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # One without the other would make glibc take every block above 128 KiB from the system.
    return mallopt is not None and all((mallopt(MMAP_THRESHOLD, LARGEST_KEPT), mallopt(TRIM_THRESHOLD, KEPT)))


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):  # Windows has no confstr, other systems have not this name
        return False
