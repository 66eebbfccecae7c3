"""Letting this machine in at the office (接入), as values: what may go wrong and whether there is work without it."""

from __future__ import annotations

from enum import StrEnum


class JoinTrouble(StrEnum):
    NOT_A_CODE = "not_a_code"
    """The check digits do not fit, or what was scanned is no enrolment code."""
    NO_OFFICE_URL = "no_office_url"
    NEEDS_HTTPS = "needs_https"
    NO_CONNECTION = "no_connection"
    CERTIFICATE_DATES = "certificate_dates"
    NO_ANSWER = "no_answer"
    LOCKED = "locked"
    REFUSED = "refused"
    NOT_THE_OFFICE = "not_the_office"
    STORE_FAILED = "store_failed"


class Shut(StrEnum):
    """Why nobody can be served, whatever the devices are: the value is the last part of a text id for staff."""

    NOT_ENROLLED = "not_enrolled"
    DEVICE_REFUSED = "device_refused"
    """The office has ended this enrolment, or does not know it."""
