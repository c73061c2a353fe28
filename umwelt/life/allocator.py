"""Keep the memory of compiled programs with the process.

A compiled program asks for its scratch memory, some tens of megabytes, at each call. The C library gives blocks of that
size back to the system at once. So each call waits for fresh pages, zeroed one by one: measured on two cores, about a
quarter of the time of a large learning step. With other settings the library keeps them.
"""

import ctypes
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""The parameters' numbers in the GNU C library."""
KEPT, LARGEST = 2**31 - 1, 2**30
"""Bytes that stay with the process when they are free, and the largest block that can be kept."""


def keep_heap() -> bool:
    """Let the C library keep free memory. False where it is another library than GNU's, or where the user has
    settings of their own in the environment (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_)."""
    if {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & set(os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False  # no GNU C library: nothing is lost but speed
    return bool(mallopt(MMAP_THRESHOLD, ctypes.c_int(LARGEST))) and bool(mallopt(TRIM_THRESHOLD, ctypes.c_int(KEPT)))
