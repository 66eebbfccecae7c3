"""Names of the protocol between terminal and office, so that nobody types them twice."""

from __future__ import annotations

import uuid

CASE_PATH = "/v1/cases/{case_id}"
"""PUT: 201 or 200 with a receipt, 202 with a receipt of level `held`, 409/422/403 with a signed refusal."""
ROSTER_PATH = "/v1/roster"
"""GET: 200 with a sealed RosterPull (`pull.seal_pull`), 304 signed by `pull.sign_unchanged` when nothing is newer
than `after`, 403 with a signed refusal. The same signature header for both."""
ENROL_PATH = "/v1/enrol"
"""POST an EnrolRequest: 200 with a signed EnrolAnswer; anything else means not enrolled."""
HEARTBEAT_PATH = "/v1/heartbeat"
"""PUT a HeartbeatBody: 200 with a signed HeartbeatAnswer, 403/422 with a signed refusal."""

PART_PATH = "/v1/parts/{sha256}"
"""PUT a piece of a large case, before the case itself: 201 or 200 with a signed PartReceipt, 403/409/422 with a signed
refusal. Its id is the case's, its sha256 that of the piece as received."""
RECONCILE_PATH = "/v1/reconcile"
"""POST a ReconcileBody: 200 with a signed ReconcileAnswer, 403/422 with a signed refusal."""
OUTCOMES_PATH = "/v1/outcomes"
"""GET, as the roster: 200 with a sealed OutcomesPull, 304 signed."""
CONTENT_PATH = "/v1/content/manifest"
"""GET, as the roster: 200 with a signed Manifest, 304 signed."""
CONTENT_FILE_PATH = "/v1/content/{sha256}"
"""GET a file of the content package, addressed by its digest."""
RENEW_PATH = "/v1/renew"
"""POST a RenewRequest signed by the present device key, however long ago it was enrolled: 200 with a signed EnrolAnswer."""
TIME_PATH = "/v1/time"
"""GET with X-Nonce: 200 with a signed TimeAnswer. For a clock too wrong to check a certificate."""

AFTER = "after"
"""Query parameter of a pull: the version the terminal already has, 0 for none."""

SIGNATURE = "X-Sig"
RECEIPT_SIGNATURE = "X-Receipt-Sig"
REFUSAL_SIGNATURE = "X-Refusal-Sig"
PULL_SIGNATURE = "X-Pull-Sig"
ENROL_SIGNATURE = "X-Enrol-Sig"
ENROL_PROOF = "X-Enrol-Proof"
"""Of an enrolment request and of its answer: that its sender knows the token."""
VOUCH = "X-Vouch"
"""On a case sealed under an earlier enrolment: terminal id, epoch and signature of a newer one that stands up for it."""
HEARTBEAT_SIGNATURE = "X-Heartbeat-Sig"
PART_SIGNATURE = "X-Part-Sig"
RECONCILE_SIGNATURE = "X-Reconcile-Sig"
TIME_SIGNATURE = "X-Time-Sig"
CONTENT_SIGNATURE = "X-Content-Sig"
KIOSK = "X-Kiosk"
CASE = "X-Case"
"""Id of the case a piece belongs to."""
MISSING = "X-Missing"
"""Beside the receipt of a case: digests of its pieces the office does not have, with commas. A hint, not signed."""
TIME = "X-Time"
"""Decimal Unix seconds by the terminal's clock."""
NONCE = "X-Nonce"
"""32 hex digits, new for each request."""

ENVELOPE_TYPE = "application/octet-stream"
JSON_TYPE = "application/json"

REQUEST_WINDOW_S = 86_400
"""A signed GET is good for this long around its time. A replay gains nothing: the answer is sealed to the terminal."""
ENVELOPE_BYTES_MAX = 1_000_000
"""Proxies cut longer bodies; a sealed case stays below."""
ANSWER_BYTES_MAX = 65_536
"""A receipt, refusal or enrolment answer is far smaller; whatever is longer did not come from the office."""
PULL_BYTES_MAX = 8_000_000
RECONCILE_BYTES_MAX = 1_000_000
PART_BYTES_MAX = 262_144
"""At 64 kbit/s a piece takes half a minute; a cut costs at most one."""


def case_path(case_id: uuid.UUID | str) -> str:
    return CASE_PATH.format(case_id=case_id)


def part_path(sha256: str) -> str:
    return PART_PATH.format(sha256=sha256)


def pull_target(path: str, after: int) -> str:
    """Path and query of a pull, exactly as signed and sent."""
    return f"{path}?{AFTER}={after}"


def roster_target(after: int) -> str:
    return pull_target(ROSTER_PATH, after)


def content_file_path(sha256: str) -> str:
    return CONTENT_FILE_PATH.format(sha256=sha256)
