"""Collateral: what it says about platforms and times, read strictly and believed later."""

import json

import pytest

from near_tee_cli.attest.collateral import (
    HEXES,
    MAX_COLLATERAL_BYTES,
    PCK_CHAIN,
    TEXTS,
    Component,
    Window,
    crl_window,
    date_text,
    parse_collateral,
    unix_seconds,
)
from near_tee_cli.errors import BadInputError
from tests.support import attestation as recorded
from tests.support import attestation_pki as pki

WITH = [name for name, case in recorded.cases().items() if case["collateral"]]


def refused(data: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        parse_collateral(data)
    return caught.value.code


def edited(**members) -> bytes:
    document = {**json.loads(pki.collateral()), **members}
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def signed(member: str, change) -> bytes:
    document = json.loads(pki.collateral())
    inner = json.loads(document[member])
    change(inner)
    document[member] = json.dumps(inner)
    return json.dumps(document).encode()


@pytest.mark.parametrize("name", WITH)
def test_real_collateral(name) -> None:
    case = recorded.cases()[name]
    found = parse_collateral(recorded.collateral_of(name))
    assert found.window == Window(case["valid_from"], case["valid_until_exclusive"])
    assert found.evaluation_number == case["tcb_evaluation_data_number"]
    assert found.fmspc.hex().upper() == case["fmspc"]
    assert found.tee == case["tee"]
    assert found.oldest_issue <= found.window.start
    assert (found.pck_chain is not None) == (name == recorded.MPC)
    assert PCK_CHAIN not in found.document


def test_levels_and_modules() -> None:
    found = parse_collateral(recorded.collateral_of(recorded.MPC))
    assert next(level.status for level in found.levels) == "UpToDate"
    assert found.levels[0].sgx[0] == Component(4, "BIOS, Early Microcode Update")
    assert found.levels[0].tdx[0] == Component(5, "OS/VMM, TDX Module")
    assert found.levels[0].sgx[6] == Component(0, "")
    assert (found.levels[0].pce_svn, found.levels[0].date) == (11, unix_seconds("2025-08-13T00:00:00Z", ""))
    assert [level.svn for level in found.modules["TDX_01"]] == [11, 6, 4, 2]
    sgx = parse_collateral(recorded.collateral_of(recorded.SGX))
    assert (sgx.levels[0].tdx, sgx.modules) == ((), {})


def test_the_window_ends_with_whatever_ends_first() -> None:
    for end, crl_end in ((pki.END, pki.END + 1), (pki.END, pki.END - 1)):
        found = parse_collateral(pki.collateral(end=end, crl_end=crl_end))
        assert found.window == Window(pki.START, min(end, crl_end))
    later = signed("qe_identity", lambda inner: inner.update(issueDate="2027-01-16T08:00:00Z"))
    assert parse_collateral(later).window.start == pki.START + 86_400
    assert parse_collateral(later).oldest_issue == pki.START


def test_size_is_bounded() -> None:
    assert MAX_COLLATERAL_BYTES == 1048576
    whole = pki.collateral()
    assert parse_collateral(whole + b" " * (MAX_COLLATERAL_BYTES - len(whole))) == parse_collateral(whole)
    assert refused(b" " * (MAX_COLLATERAL_BYTES + 1)) == "too-large"


@pytest.mark.parametrize("name", [*TEXTS, *HEXES])
def test_every_member_is_needed_and_text(name) -> None:
    assert refused(edited(**{name: ...})) == "bad-collateral"
    assert refused(edited(**{name: 1})) == "bad-collateral"


@pytest.mark.parametrize("name", HEXES)
def test_hexadecimal_members(name) -> None:
    value = json.loads(pki.collateral())[name]
    for wrong in (value[:-1], value[:-1] + "g", value[:2] + "  " + value[2:]):
        assert refused(edited(**{name: wrong})) == "bad-collateral"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        edited(more="x"),
        edited(**{PCK_CHAIN: 1}),
        edited(tcb_info="[]"),
        edited(tcb_info='{"id":"TDX","id":"SGX"}'),
        edited(root_ca_crl=""),
        edited(root_ca_crl="3080"),
        edited(root_ca_crl="30853000000000"),
        edited(pck_crl="300430020201"),
        edited(pck_crl="310430023000"),
        signed("tcb_info", lambda inner: inner.update(issueDate="2026-01-01")),
        signed("tcb_info", lambda inner: inner.update(issueDate="2026-13-01T00:00:00Z")),
        signed("tcb_info", lambda inner: inner.update(nextUpdate="2026-01-01T00:00:00+00:00")),
        signed("tcb_info", lambda inner: inner.update(fmspc="0g")),
        signed("tcb_info", lambda inner: inner.pop("tcbEvaluationDataNumber")),
        signed("tcb_info", lambda inner: inner.pop("tcbLevels")),
        signed("tcb_info", lambda inner: inner["tcbLevels"][0]["tcb"]["sgxtcbcomponents"].pop()),
        signed("tcb_info", lambda inner: inner["tcbLevels"][0]["tcb"]["tdxtcbcomponents"].pop()),
        signed("tcb_info", lambda inner: inner["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][0].update(svn=256)),
        signed("tcb_info", lambda inner: inner["tcbLevels"][0].pop("tcbDate")),
        signed("tcb_info", lambda inner: inner["tcbLevels"][0].update(tcbStatus=1)),
        signed("tcb_info", lambda inner: inner.update(tdxModuleIdentities=[{"id": "TDX_01"}])),
        signed("qe_identity", lambda inner: inner.pop("issueDate")),
        signed("qe_identity", lambda inner: inner.update(tcbEvaluationDataNumber="20")),
    ],
)
def test_what_is_no_collateral(data) -> None:
    assert refused(data) == "bad-collateral"


def test_dates_of_revocation_lists() -> None:
    def crl(start: bytes, end: bytes, version: str = "020101") -> bytes:
        content = bytes.fromhex(version + "3000" + "3000") + start + end
        signed_part = bytes([0x30, len(content)]) + content
        return bytes([0x30, len(signed_part)]) + signed_part

    utc, long = b"\x17\x0d270115080000Z", b"\x18\x0f20270115080000Z"
    assert crl_window(crl(utc, long), "") == Window(pki.START, pki.START)
    assert crl_window(crl(utc, long, version=""), "") == Window(pki.START, pki.START)
    assert crl_window(crl(b"\x17\x0d491231235959Z", b"\x17\x0d500101000000Z"), "") == Window(2524607999, -631152000)
    for wrong in (
        b"\x17\x0d270115080000+",
        b"\x16\x0f20270115080000Z",
        b"\x17\x0f20270115080000Z",
        b"\x16\x0d270115080000Z",
        b"\x18\x0d270115080000Z",
        b"\x17\x0d27011508000xZ",
    ):
        with pytest.raises(BadInputError) as caught:
            crl_window(crl(utc, wrong), "")
        assert caught.value.code == "bad-collateral"


def test_revocation_lists_of_any_size_and_cut_short() -> None:
    whole = bytes.fromhex(json.loads(pki.collateral())["pck_crl"])
    window = crl_window(whole, "")
    assert window == Window(pki.START, pki.END + 86_400)
    assert whole[:2] == b"\x30\x81"
    # The same length in more bytes is read, though nobody writes it so.
    for size in (b"\x82\0", b"\x84\0\0\0"):
        assert crl_window(whole[:1] + size + whole[2:], "") == window
    wrong = [whole[:at] for at in (0, 1, 2, 3, 4, 40, len(whole) - 1)]
    wrong += [b"\x31" + whole[1:], whole[:1] + b"\x85\0\0\0\0" + whole[2:], whole[:1] + b"\x80" + whole[2:]]
    for data in wrong:
        with pytest.raises(BadInputError) as caught:
            crl_window(data, "here")
        assert (caught.value.code, caught.value.where) == ("bad-collateral", "here")


def test_dates_as_text() -> None:
    assert date_text(pki.START) == "2027-01-15 08:00:00 UTC"
    assert unix_seconds("2027-01-15T08:00:00Z", "") == pki.START
