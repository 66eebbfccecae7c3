"""An officer of 镇社保所 in the tests: reads and decides on the real pages."""

from __future__ import annotations

import re

import httpx

from kiosk.demo.estate import DESK_PASSWORD, DESK_USER, Estate


class Officer:
    """At the desk as with a browser: real pages, real forms."""

    def __init__(self, town: Estate) -> None:
        self._client = httpx.Client(base_url=town.desk_url, follow_redirects=True, timeout=20)
        page = self._client.get("desk/login/")
        self._post("desk/login/", page.text, username=DESK_USER, password=DESK_PASSWORD)

    def __enter__(self) -> Officer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def decide(self, case_number: str, verdict: str, kind: str = "case", **more: str) -> str:
        """`accept` or `reject`; returns the reason given. kind: `case` or `faceenrolment`."""
        page = self.page(case_number, kind)
        action = re.search(r'<form[^>]*action="([^"]*decide/)"', page.text)
        version = re.search(r'name="version"[^>]*value="(\d+)"', page.text)
        reasons = re.findall(r'<option value="([^"]+)"', page.text)
        assert action and version and reasons
        reason = reasons[0] if verdict == "reject" else ""
        answer = self._post(action[1], page.text, version=version[1], verdict=verdict, reason=reason, **more)
        assert answer.status_code == 200, answer.text
        return reason

    def page(self, case_number: str, kind: str = "case") -> httpx.Response:
        listing = self._client.get(f"desk/office/{kind}/", params={"q": case_number}).text
        link = re.search(rf'href="([^"]*/{kind}/[0-9a-f-]{{36}}/change/[^"]*)"', listing)
        assert link, "it is not in the officer's list"
        return self._client.get(link[1])

    def get(self, address: str) -> httpx.Response:
        """A page or a picture by its address on the desk."""
        return self._client.get(address)

    def _post(self, address: str, page: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        return self._client.post(address, data={**fields, "csrfmiddlewaretoken": token[1]})
