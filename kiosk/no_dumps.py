"""No picture of this process's memory ever lands on a disk: called first by every process of ours.

The limit alone does not reach a `core_pattern` that pipes into a program (core(5)); a process that is not dumpable is
given to none. Both are lost at exec (prctl(2)), so each program calls it for itself; forked children inherit both.
"""

from __future__ import annotations

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def no_core_dumps() -> None:
    """Raises OSError when the kernel refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
