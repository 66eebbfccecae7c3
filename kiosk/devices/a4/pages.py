"""How many pages a PDF has: what the printer's own count is held against."""

from __future__ import annotations

import io
import logging

from pypdf import PdfReader
from pypdf.errors import PyPdfError

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its complaints quote what stands in the document


def count_pages(pdf: bytes) -> int | None:
    """None: not a PDF that a printer could print: damaged, locked with a password, or without a page."""
    if not pdf.startswith(b"%PDF-"):
        return None
    try:
        reader = PdfReader(io.BytesIO(pdf))
        return None if reader.is_encrypted else len(reader.pages) or None
    except (PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # on damaged files pypdf fails in all these ways
