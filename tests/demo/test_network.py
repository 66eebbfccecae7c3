import http.server
import threading
from collections.abc import Iterator

import httpx
import pytest

from kiosk.demo.network import Network


class _Office(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def network() -> Iterator[Network]:
    office = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Office)
    threading.Thread(target=office.serve_forever, daemon=True).start()
    network = Network()
    network.lead_to("127.0.0.1", office.server_address[1])
    network.start()
    yield network
    network.stop()
    office.shutdown()
    office.server_close()


def test_passes_cuts_and_mends(network: Network) -> None:
    assert httpx.get(network.url).text == "ok"
    network.cut()
    with pytest.raises(httpx.TransportError):
        httpx.get(network.url)
    network.mend()
    assert httpx.get(network.url).text == "ok"
