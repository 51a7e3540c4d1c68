"""Quotes in every form in which tools keep them."""

import base64
import json

import pytest

from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.proof.bundle import EVIDENCE
from near_tee_cli.sources.quote_files import read_event_log_file, read_quote_file
from tests.support import attestation as recorded
from tests.support.attested import attested

QUOTE = recorded.quote_of(recorded.UP_TO_DATE)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (QUOTE, "a raw quote"),
        (recorded.quote_of(recorded.SGX), "a raw quote"),
        (QUOTE.hex().encode(), "hexadecimal digits"),
        (b"0x" + QUOTE.hex().upper().encode() + b"\n", "hexadecimal digits"),
        (base64.b64encode(QUOTE) + b"\n", "base64"),
        (json.dumps(list(QUOTE)).encode(), "an array of bytes"),
        (json.dumps({"quote": QUOTE.hex(), "event_log": "[]", "vm_config": "{}"}).encode(), "an answer to GetQuote"),
    ],
)
def test_forms(data, form) -> None:
    found = read_quote_file(data, "the quote")
    assert (found.form, found.evidence.quote in (QUOTE, recorded.quote_of(recorded.SGX))) == (form, True)
    if form == "an answer to GetQuote":
        assert (found.evidence.event_log, found.vm_config) == (b"[]", b"{}")


def test_our_own() -> None:
    data = next(item.data for item in attested().attachments if item.kind == EVIDENCE)
    found = read_quote_file(data, "the quote")
    assert found.form == "evidence"
    assert None not in (found.evidence.collateral, found.evidence.event_log, found.evidence.binding, found.vm_config)
    with pytest.raises(EvidenceError):
        read_quote_file(data[:-2] + b" }", "the quote")


@pytest.mark.parametrize(
    "data", [b"", b"?", b"{}", b'{"quote":5}', b'{"quote":"zz"}', b"[256]", b'["a"]', b"[", b"\0\0", b"hello world!"]
)
def test_no_quote(data) -> None:
    with pytest.raises(BadInputError):
        read_quote_file(data, "the quote")


def test_event_logs() -> None:
    for data in (b'[{"a":1}]', b'{"event_log":[{"a":1}]}', b'{"event_log":"[{\\"a\\":1}]"}'):
        assert json.loads(read_event_log_file(data, "the log")) == [{"a": 1}]
    for data in (b"{}", b"?", b'{"event_log":""}'):
        with pytest.raises(BadInputError):
            read_event_log_file(data, "the log")
