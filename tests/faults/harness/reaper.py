"""Kills: every process over and over, at its named points and at random, while the others go on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]

from harness import points
from harness.children import Child
from harness.town import Town

AT_RANDOM = "at random"
WORKER = "worker at random"
"""Only the office's worker: its master starts another one."""
_PATIENCE_S = 30.0
"""A point not reached by then is given up, and counted as missed."""
_LATEST = 6
"""A point kills at its first to this many-th passing."""
_LAST_VISIT = 800_000


@dataclass
class Fate:
    point: str
    nth: int
    after_s: float


@dataclass
class Reaper:
    town: Town
    chance: random.Random
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    pause_s: float = 0.1

    def kill_each(self, each: dict[str, list[str]]) -> None:
        """each: points by role, in the order they come. Ends when every process has died so many times."""
        queues = {role: [self._fate(point) for point in named] for role, named in each.items()}
        running: dict[str, tuple[Child, Fate, float]] = {}
        while any(queues.values()) or running:
            for role, queue in queues.items():
                if role not in running and queue:
                    fate = queue.pop(0)
                    running[role] = (self._start(role, fate), fate, time.monotonic())
            for role, (child, fate, since) in list(running.items()):
                if self._dies(role, child, fate, time.monotonic() - since):
                    del running[role]
                    if not queues[role]:
                        self._start(role, Fate("", 1, 0))
            time.sleep(0.01)

    def schedule(self, count: int) -> dict[str, list[str]]:
        """So many kills: every named point about as often as the others, as many again at random; shuffled."""
        roles = {"submitter": points.SUBMIT, "sync": points.SYNC, "office": (*points.OFFICE, WORKER)}
        each: dict[str, list[str]] = {}
        for role, named in roles.items():
            share = max(len(named) + 1, count // len(roles))
            at_points = [named[n % len(named)] for n in range(max(len(named), share * 6 // 10))]
            each[role] = at_points + [AT_RANDOM] * (share - len(at_points))
            self.chance.shuffle(each[role])
        return each

    def _fate(self, point: str) -> Fate:
        return Fate(point, self.chance.randint(1, _LATEST), self.chance.uniform(0.1, 1.5))

    def _start(self, role: str, fate: Fate) -> Child:
        armed = "" if fate.point in (AT_RANDOM, WORKER) else fate.point
        if role == "submitter":
            seed = self.chance.randrange(1 << 30)
            return self.town.machine.submit(_LAST_VISIT, armed, fate.nth, pause_s=self.pause_s, seed=seed)
        if role == "sync":
            return self.town.machine.sync(armed, fate.nth)
        return self.town.start_office(armed, fate.nth, wait=False)

    def _dies(self, role: str, child: Child, fate: Fate, age: float) -> bool:
        """Whether it is dead by now; killed here where its fate says so."""
        if not child.alive:
            self._count(role, child, fate)
            child.kill()  # what it started goes with it
            return True
        if fate.point == WORKER and age > fate.after_s + 2:
            workers = psutil.Process(child.pid).children()
            if not workers:
                return False
            for worker in workers:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
            self.kills[role, fate.point] += 1
            time.sleep(fate.after_s)
            child.kill()
            return True
        if fate.point == AT_RANDOM and age > fate.after_s:
            child.kill()
            self.kills[role, fate.point] += 1
            return True
        if age > _PATIENCE_S:
            self.missed.append(f"{role} {fate.point}")
            child.kill()
            return True
        return False

    def _count(self, role: str, child: Child, fate: Fate) -> None:
        if child.exitcode == -signal.SIGKILL:
            self.kills[role, fate.point] += 1
        else:
            self.missed.append(f"{role} {fate.point}: ended by itself with {child.exitcode}")
