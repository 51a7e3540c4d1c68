"""Quotes taken apart: real ones of every kind that is read, and everything that is refused by name."""

import pytest

from near_tee_cli.attest.quote import (
    DEBUG,
    MAX_QUOTE_BYTES,
    PERFMON,
    PROTECTION_KEYS,
    SEPT_VE_DISABLE,
    Tee,
    parse_quote,
    td_report_of,
)
from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.hashes import sha256
from tests.support import attestation as recorded
from tests.support import attestation_pki as pki

TDX = [name for name, case in recorded.cases().items() if case["tee"] == "TDX"]


def refused(data: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        parse_quote(data)
    return caught.value.code


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize("name", TDX)
def test_fields_of_real_tdx_quotes(name) -> None:
    case = recorded.cases()[name]
    quote = parse_quote(recorded.quote_of(name))
    td = td_report_of(quote)
    assert (quote.version, quote.tee, quote.body) == (case["quote_version"], Tee.TDX, case["report_type"])
    assert td.td_attributes.to_bytes(8, "little").hex() == case["td_attributes"]
    assert [register.hex() for register in td.registers] == [case[f"rtmr{at}"] for at in range(4)]
    for field in ("tee_tcb_svn", "mr_td", "mr_config_id", "report_data"):
        assert getattr(td, field).hex() == case[field]
    assert (td.tee_tcb_svn2 is None) == (td.mr_service_td is None) == (case["report_type"] == "TD10")


def test_fields_that_follow_one_another() -> None:
    body = bytes(range(256)) + bytes(range(256)) + bytes(range(136))
    td = td_report_of(parse_quote(pki.quote()[:48] + body + b"."))
    assert td.mr_seam == body[16:64]
    assert td.mr_signer_seam == body[64:112]
    assert (td.seam_attributes, td.td_attributes, td.xfam) == tuple(
        int.from_bytes(body[at : at + 8], "little") for at in (112, 120, 128)
    )
    assert (td.mr_owner, td.mr_owner_config) == (body[232:280], body[280:328])


def test_attributes_by_their_bits() -> None:
    assert [bits.bit_length() - 1 for bits in (DEBUG, SEPT_VE_DISABLE, PROTECTION_KEYS, PERFMON)] == [0, 28, 30, 63]
    assert {bits.bit_count() for bits in (DEBUG, SEPT_VE_DISABLE, PROTECTION_KEYS, PERFMON)} == {1}


def test_fields_of_version_1_5() -> None:
    service = bytes([9]) * 48
    for version, length in ((5, 54 + 648),):
        quote = parse_quote(pki.quote(version=version, version_15=True, mr_service_td=service))
        assert (quote.body, len(quote.signed)) == ("TD15", length)
        assert td_report_of(quote).mr_service_td == service
        assert td_report_of(quote).tee_tcb_svn2 == bytes([5]) + bytes(15)
    assert len(parse_quote(pki.quote(version=5)).signed) == 54 + 584


def test_real_sgx_quote_is_recognised_and_is_no_guest() -> None:
    case = recorded.cases()[recorded.SGX]
    quote = parse_quote(recorded.quote_of(recorded.SGX))
    assert (quote.tee, quote.body, quote.td) == (Tee.SGX, "SGX", None)
    assert quote.sgx is not None
    assert quote.sgx.mr_enclave.hex() == case["mr_enclave"]
    assert quote.sgx.mr_signer.hex() == case["mr_signer"]
    assert quote.report_data.hex() == case["report_data"]
    with pytest.raises(UnsupportedError) as caught:
        td_report_of(quote)
    assert caught.value.code == "unsupported-quote-tee"


@pytest.mark.parametrize("name", recorded.cases())
def test_identity_is_of_the_signed_part_alone(name) -> None:
    data = recorded.quote_of(name)
    quote = parse_quote(data)
    end = len(quote.signed)
    assert quote.identity == sha256(data[:end]) == parse_quote(data + b"more").identity
    assert parse_quote(data[: end + 1]).identity == quote.identity
    assert parse_quote(changed(data, end, b"\xff")).identity == quote.identity
    assert parse_quote(changed(data, end - 1, bytes([data[end - 1] ^ 1]))).identity != quote.identity


def test_what_is_refused() -> None:
    data = pki.quote()
    assert refused(b"") == refused(data[:47]) == refused(data[:632]) == "bad-quote"
    assert refused(changed(data, 12, bytes(16))) == "bad-quote"
    assert refused(bytes(MAX_QUOTE_BYTES + 1)) == "too-large"
    assert parse_quote(data + bytes(MAX_QUOTE_BYTES - len(data))).identity == parse_quote(data).identity
    assert MAX_QUOTE_BYTES == 65536
    assert refused(data + bytes(MAX_QUOTE_BYTES - len(data) + 1)) == "too-large"
    assert refused(changed(data, 2, b"\3\0")) == "unsupported-quote-key"
    assert refused(changed(data, 4, b"\x82")) == "unsupported-quote-tee"
    for version in (0, 3, 6):
        assert refused(changed(data, 0, bytes([version]))) == "unsupported-quote-version"
    assert refused(changed(recorded.quote_of(recorded.SGX), 0, b"\4")) == "unsupported-quote-version"


def test_what_is_refused_of_version_5() -> None:
    data = pki.quote(version=5)
    assert refused(data[:53]) == "bad-quote"
    assert refused(changed(data, 48, b"\4\0")) == "unsupported-quote-body"
    assert refused(changed(data, 48, b"\1\0")) == "unsupported-quote-body"
    assert refused(changed(data, 50, b"\0")) == "bad-quote"
    sgx = changed(changed(data, 4, b"\0"), 48, b"\1\0" + (384).to_bytes(4, "little"))
    assert parse_quote(sgx).body == "SGX"
