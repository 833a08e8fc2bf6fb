"""Memory that steps free is kept for the next step instead of going back to the system.

By default glibc returns large free blocks to the system, which hands them out again page by page, each filled with
zeros: 10,000 pages a step for a small convolution network, a fifth of its time.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

from torch import Tensor

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's numbers of these parameters, in its malloc.h
KEPT = 1 << 30  # bytes beyond which free memory goes back: at the end of the heap at once, in the midst after a `fit`
# Bytes of a block; a larger one goes back when it is freed. The first of these leaves users' large arrays to the system
# and keeps nearly every activation; glibc before 2.35 takes no more than the second.
LARGEST_KEPT = (512 << 20, 32 << 20)
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
POPULATE_WRITE = 23  # Linux's number of that advice
TAKEN_AT_ONCE = 1 << 20  # bytes; no other thread of the process gets memory meanwhile
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_")


@functools.cache
def keep_freed_memory() -> bool:
    """Let the process keep memory that it freed, and tell whether that was to be had.

    Nothing changes without glibc, or where the environment says how its allocator is to behave.

    Source:
        https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    told = any(name in os.environ for name in SETTINGS) or "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", "")
    if told or not _has_glibc():
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # One without the other would make glibc take every block above 128 KiB from the system.
    return (
        mallopt is not None
        and any(mallopt(MMAP_THRESHOLD, size) for size in LARGEST_KEPT)
        and bool(mallopt(TRIM_THRESHOLD, KEPT))
    )


def give_back_memory() -> None:
    """Give free memory back to the system where `keep_freed_memory` has let more than `KEPT` bytes of it gather."""
    if keep_freed_memory() and _free_bytes() > KEPT:
        ctypes.CDLL(None).malloc_trim(0)


def take_pages(tensor: Tensor) -> None:
    """Have the system give a new tensor its memory now, instead of page by page when it is first written to.

    Args:
        tensor: In one piece, on the processor; what is in it counts for nothing.

    Source:
        https://man7.org/linux/man-pages/man2/madvise.2.html
    """
    start = -(-tensor.data_ptr() // PAGE) * PAGE
    end = (tensor.data_ptr() + tensor.nbytes) // PAGE * PAGE
    madvise = getattr(ctypes.CDLL(None), "madvise", None) if sys.platform == "linux" else None
    for place in range(start, end, TAKEN_AT_ONCE):
        size = min(TAKEN_AT_ONCE, end - place)
        if madvise is None or madvise(ctypes.c_void_p(place), ctypes.c_size_t(size), POPULATE_WRITE):
            tensor.view(-1)[:: PAGE // tensor.itemsize] = 0  # Linux before 5.14 and others: one number of each page
            return


class _MallocInfo(ctypes.Structure):
    """What glibc's `mallinfo2` returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def _free_bytes() -> int:
    """Return how much memory the heap holds that nobody uses; 0 where glibc is too old to tell."""
    mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo is None:
        return 0
    mallinfo.restype = _MallocInfo
    return int(mallinfo().fordblks)


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):  # Windows has no confstr, other systems have not this name
        return False
