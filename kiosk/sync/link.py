"""One HTTP exchange with the office: an answer, or a value saying what went wrong. Never an exception, never endless."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

import httpx

CERTIFICATE_DATES: Final = "certificate_dates"
"""Reason of LinkDown: the certificate is good but for its dates, so this machine's clock or the office's certificate is not."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL; `ssl` has no name for it."""
_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED"""


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody answered; only a signature says whether it was the office."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        return str(self.headers.get(name, ""))


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Nothing was sent: no name, no route, no TLS, no proxy. Nobody's case is to blame."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Something was sent and no whole answer came back: the office may or may not have it."""

    reason: str


class OfficeLink:
    """Used by one thread. Certificates are checked against the machine's own trust store."""

    def __init__(self, url: str, connect_s: float, total_s: float, any_date: bool = False) -> None:
        """url: scheme, host, port; total_s: absolute limit of one exchange from the first byte to the last.

        any_date: names and signatures of certificates are checked, their dates are not. For asking what time it is.
        """
        self._total_s = total_s
        self._socket: socket.socket | None = None
        context = ssl.create_default_context()
        if any_date:
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        self._client = httpx.Client(
            base_url=url, verify=context, follow_redirects=False,
            timeout=httpx.Timeout(total_s, connect=connect_s), headers={"Accept-Encoding": "identity"},
        )

    def __enter__(self) -> OfficeLink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None, limit: int,
    ) -> Answer | LinkDown | NoAnswer:
        """target: path and query. An answer longer than `limit` bytes counts as none."""
        cut = threading.Event()
        cutter = threading.Timer(self._total_s, self._cut, args=(cut,))
        cutter.daemon = True
        cutter.start()
        try:
            with self._client.stream(
                method, target, headers=dict(headers), content=content, extensions={"trace": self._watch},
            ) as response:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > limit:
                        return NoAnswer("answer_too_long")
                return Answer(response.status_code, response.headers, bytes(body))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            return LinkDown(CERTIFICATE_DATES if _only_dates(error) else type(error).__name__)
        except httpx.HTTPError as error:
            return NoAnswer("timeout" if cut.is_set() or isinstance(error, httpx.TimeoutException) else type(error).__name__)
        finally:
            cutter.cancel()
            cutter.join()

    def _watch(self, event: str, info: dict[str, Any]) -> None:
        """httpx reports each new connection here; a time-out per read alone would let a dripping peer hold us for ever."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self, cut: threading.Event) -> None:
        cut.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _only_dates(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_code in (_NOT_YET_VALID, _EXPIRED)
        error = error.__cause__ or error.__context__
    return False
