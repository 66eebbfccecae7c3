"""The office's web server: gunicorn, one process with threads, and what runs beside them.

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
    from kiosk.office import intake, retention_loop
    from kiosk.office.backup import make

    worker.beside_stop = threading.Event()
    worker.beside = [
        threading.Thread(target=run, args=(worker.beside_stop,), name=name, daemon=True)
        for name, run in (("intake", intake.run), ("retention", retention_loop.run), ("backup", make.run))
    ]
    for thread in worker.beside:
        thread.start()
    host, port = worker.sockets[0].getsockname()[:2]
    print(f"office ready on http://{host}:{port}", flush=True)


def _end(_: Any, worker: Any) -> None:
    from kiosk.office import intake

    if hasattr(worker, "beside"):
        worker.beside_stop.set()
        intake.wake.set()
        for thread in worker.beside:
            thread.join(timeout=5)
