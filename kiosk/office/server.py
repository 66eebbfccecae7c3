"""The office's web server: gunicorn, one process with threads, and the thread that opens envelopes.

One process, because SQLite has one writer and envelopes are opened by one hand.
"""

from __future__ import annotations

import threading
from typing import Any

from gunicorn.app.base import BaseApplication

_THREADS = 16


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, host: str, port: int) -> None:
        self._bind = f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": self._bind, "worker_class": "gthread", "workers": 1, "threads": _THREADS, "loglevel": "warning",
            "control_socket_disable": True, "post_worker_init": _begin, "worker_exit": _end,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from kiosk.office.wsgi import application

        return application


def run(host: str, port: int) -> None:
    _Server(host, port).run()


def _begin(worker: Any) -> None:
    from kiosk.office import intake

    worker.intake_stop = threading.Event()
    worker.intake = threading.Thread(target=intake.run, args=(worker.intake_stop,), name="intake", daemon=True)
    worker.intake.start()
    host, port = worker.sockets[0].getsockname()[:2]
    print(f"office ready on http://{host}:{port}", flush=True)


def _end(_: Any, worker: Any) -> None:
    from kiosk.office import intake

    if hasattr(worker, "intake"):
        worker.intake_stop.set()
        intake.wake.set()
        worker.intake.join(timeout=5)
