"""Quotes in the forms in which tools keep them, recognised by content.

Raw bytes; hexadecimal digits or base64 as text; a JSON array of bytes (near/mpc); what a dstack guest agent answers to
`GetQuote`, with event log and machine; and our own piece of evidence.
"""

import json
import re
from typing import Any, NamedTuple

from near_tee_cli.attest.evidence import Evidence
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.proof.evidence_part import KIND, parse_evidence

_HEX = re.compile(rb"(0x)?([0-9a-fA-F]{2})+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_VERSIONS = (3, 4, 5)


class QuoteFile(NamedTuple):
    """A quote with everything that came with it."""

    form: str
    """What was recognised, in words."""
    evidence: Evidence
    vm_config: bytes | None


def read_quote_file(data: bytes, what: str) -> QuoteFile:
    """What `data` holds. Raises `BadInputError` (`bad-quote`), and `EvidenceError` for evidence that is damaged."""
    text = data.strip()
    if len(data) > 2 and data[1] == 0 and data[0] in _VERSIONS:
        return QuoteFile("a raw quote", Evidence(data), None)
    if text[:1] in (b"{", b"["):
        return _of_json(data, what)
    if _HEX.fullmatch(text):
        return QuoteFile("hexadecimal digits", Evidence(bytes.fromhex(text.removeprefix(b"0x").decode())), None)
    if _BASE64.fullmatch(text):
        return QuoteFile("base64", Evidence(cj.base64(text.decode(), what)), None)
    raise BadInputError(f"{what} holds no quote in a form that is known", code="bad-quote")


def read_event_log_file(data: bytes, what: str) -> bytes:
    """The event log (a JSON array) that `data` is or has as a member. Raises `BadInputError`."""
    document: Any = cj.loads(data, what)
    log = _text(document.get("event_log")) if isinstance(document, dict) else data
    if log is None:
        raise BadInputError(f"{what} has no member `event_log`", code="bad-event-log")
    return log


def _of_json(data: bytes, what: str) -> QuoteFile:
    document = cj.loads(data, what)
    if isinstance(document, list):
        if not all(isinstance(item, int) and 0 <= item < 256 for item in document):
            raise BadInputError(f"{what} is an array of something else than bytes", code="bad-quote")
        return QuoteFile("an array of bytes", Evidence(bytes(document)), None)
    members: Any = cj.mapping(document, what)
    if members.get("type") == KIND:
        part = parse_evidence(data)
        return QuoteFile("evidence", part.evidence, part.vm_config)
    if not isinstance(members.get("quote"), str):
        raise BadInputError(f"{what} has no member `quote`", code="bad-quote")
    digits = members["quote"].encode()
    if not _HEX.fullmatch(digits):
        raise BadInputError(f"{what}: `quote` holds no hexadecimal digits", code="bad-quote")
    evidence = Evidence(bytes.fromhex(digits.removeprefix(b"0x").decode()), event_log=_text(members.get("event_log")))
    return QuoteFile("an answer to GetQuote", evidence, _text(members.get("vm_config")))


def _text(value: object) -> bytes | None:
    """JSON that stands in a text, or as itself."""
    if value is None or value == "":
        return None
    return value.encode() if isinstance(value, str) else json.dumps(value, separators=(",", ":")).encode()
