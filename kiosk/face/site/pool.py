"""The same work on many things, on all cores, in spawned processes that leave the machine usable."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

import cv2

from kiosk.no_dumps import no_core_dumps

Thing = TypeVar("Thing")
Made = TypeVar("Made")

_NICE = 10


class WorkerDied(Exception):
    """A process was killed from outside, most likely for want of memory."""


def cores() -> int:
    return len(os.sched_getaffinity(0))


def on_all_cores(
    work: Callable[[Thing], Made],
    things: Sequence[Thing],
    jobs: int,
    begin: Callable[..., None],
    with_: tuple[object, ...],
    done: Callable[[], None],
) -> list[Made]:
    """Results in the order of `things`. `begin(*with_)` comes first in each process; `done` is called after each thing.

    `work` and `begin` are functions of a module. What `work` raises is raised here; WorkerDied when a process is gone.
    A thing already begun is finished before an interruption is passed on.
    """
    made: dict[int, Made] = {}
    pool = ProcessPoolExecutor(max(1, min(jobs, len(things))), get_context("spawn"), _begin, (begin, with_))
    try:
        waiting = _submit(pool, work, things)
        for future in as_completed(waiting):
            made[waiting[future]] = future.result()
            done()
    except BrokenProcessPool:
        raise WorkerDied from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [made[number] for number in range(len(things))]


def _submit(
    pool: ProcessPoolExecutor, work: Callable[[Thing], Made], things: Sequence[Thing]
) -> dict[Future[Made], int]:
    """Ctrl-C goes to the whole group: it is kept from the workers, which inherit the mask, so that they end in order."""
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return {pool.submit(work, thing): number for number, thing in enumerate(things)}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _begin(begin: Callable[..., None], with_: tuple[object, ...]) -> None:
    no_core_dumps()
    os.nice(_NICE)
    cv2.setNumThreads(1)
    begin(*with_)
