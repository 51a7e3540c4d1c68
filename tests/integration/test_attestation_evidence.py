"""Recorded evidence of real machines through every check, and damage to it, bit by bit."""

import hashlib
import json

import pytest

from near_tee_cli.attest.evidence import Conclusion, Evidence, Status, verify_evidence
from near_tee_cli.attest.platform_policy import parse_platform_policy
from near_tee_cli.attest.quote import parse_quote
from tests.support import attestation as recorded

CASES = recorded.cases()
CLOCK = 1_795_600_000
"""A day on which everything recorded has expired."""

CODES = {
    "No matching TCB level found": "tcb-no-level",
    "issue date is in the future": "evidence-not-yet-valid",
    "expired": "evidence-expired",
    "CrlExpired": "evidence-expired",
}


def evidence_of(name: str) -> Evidence:
    case = CASES[name]
    is_mpc = name == recorded.MPC
    return Evidence(
        quote=recorded.quote_of(name),
        collateral=recorded.collateral_of(name) if case["collateral"] else None,
        event_log=recorded.log_of(name) if "event_log" in case else None,
        compose=recorded.mpc_compose() if is_mpc else None,
        binding=recorded.mpc_keys() if is_mpc else None,
    )


def check(name: str, *, time: int | None, evidence: Evidence | None = None, policy=None):
    return verify_evidence(evidence_of(name) if evidence is None else evidence, policy=policy, time=time)


def result(report, number: int) -> tuple[str, str | None]:
    found = next(one for one in report.results if one.number == number)
    return found.status.value, found.code


def expected(outcome: dict, *, inside: dict) -> tuple[str, str | None]:
    """What check 23 says of an outcome of the manifest."""
    if outcome["ok"]:
        return "passed", None
    code = next(code for words, code in CODES.items() if words in outcome["error"])
    assert inside["ok"] is not None
    return ("failed" if code == "tcb-no-level" else "not-made"), code


@pytest.mark.parametrize("name", CASES)
def test_files_are_those_of_the_manifest(name) -> None:
    case = CASES[name]
    assert hashlib.sha256(recorded.quote_of(name)).hexdigest() == case["quote_sha256"]
    assert len(recorded.quote_of(name)) == case["quote_len"]
    if case["collateral"]:
        assert hashlib.sha256(recorded.collateral_of(name)).hexdigest() == case["collateral_sha256"]


@pytest.mark.parametrize("name", CASES)
def test_outcome_of_every_case(name) -> None:
    case = CASES[name]
    if name == recorded.SGX:
        report = check(name, time=case["suggested_now"])
        assert (report.conclusion, result(report, 23)) == (Conclusion.CONTRADICTED, ("failed", "not-tdx"))
        return
    if not case["collateral"]:
        report = check(name, time=CLOCK)
        assert (report.conclusion, result(report, 23)) == (Conclusion.INCONCLUSIVE, ("not-made", "no-collateral"))
    else:
        report = check(name, time=case["suggested_now"])
        assert result(report, 23) == expected(case["expect"], inside=case["expect"])
        if case["expect"]["ok"]:
            assert report.verified is not None
            assert report.verified.status == case["expect"]["status"]
            assert report.verified.ppid.hex() == case["expect"]["ppid"]
    if "event_log" in case:
        assert result(report, 26) == ("passed", None)
        assert report.replayed is not None
        runtime = [event.name for event in report.replayed.events if event.register == 3]
        assert runtime == case["runtime_events"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["collateral"] and name != recorded.SGX])
def test_before_and_after_every_window(name) -> None:
    case = CASES[name]
    for key, time in (
        ("expect_before", case["valid_from"] - 1),
        ("expect_after", case["valid_until_exclusive"] + 1),
        ("expect_after", CLOCK),
    ):
        report = check(name, time=time)
        assert result(report, 23) == expected(case[key], inside=case["expect"])
        assert report.conclusion is Conclusion.INCONCLUSIVE
        assert report.refusal is not None
        assert report.refusal.window == (case["valid_from"], case["valid_until_exclusive"])


def test_the_whole_chain_of_a_real_machine() -> None:
    tables = recorded.mpc_tables()
    time = CASES[recorded.MPC]["suggested_now"]
    for key in (recorded.mpc_keys().tls_key, recorded.mpc_keys().account_key):
        report = verify_evidence(evidence_of(recorded.MPC), policy=parse_platform_policy(tables), time=time, key=key)
        assert report.conclusion is Conclusion.ACCEPTED
        assert {one.status for one in report.results} == {Status.PASSED}
    production = parse_platform_policy({**tables, **recorded.production_tables()})
    report = verify_evidence(evidence_of(recorded.MPC), policy=production, time=time)
    assert (report.conclusion, report.code) == (Conclusion.CONTRADICTED, "measurements-not-allowed")


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def unsigned_bytes(data: bytes) -> set[int]:
    """Bytes of a version 4 quote that nothing signs: a length, a type, armour of certificates, the root, padding."""
    text = data.index(b"-----BEGIN")
    third = data.index(b"-----BEGIN", data.index(b"-----BEGIN", text + 1) + 1)
    newlines = {at for at in range(text, len(data)) if data[at : at + 1] == b"\n"}
    return {632, 764, 765, *newlines, *range(third, len(data))}


@pytest.mark.parametrize("name", [recorded.UP_TO_DATE, recorded.GAS_TEST])
def test_flipped_bits_of_quotes(name) -> None:
    """Every byte of the signed regions, and some of the rest: what is accepted has the same identity and report."""
    whole = recorded.quote_of(name)
    time = CASES[name]["suggested_now"]
    base = evidence_of(name)
    before = check(name, time=time)
    unsigned = unsigned_bytes(whole)
    accepted = set()
    for at in [*range(0, 632, 5), *range(632, 800, 2), 765, *range(800, len(whole), 11)]:
        report = check(name, time=time, evidence=base._replace(quote=flipped(whole, at)))
        if report.verified is None:
            assert report.conclusion is Conclusion.CONTRADICTED, at
            continue
        accepted.add(at)
        assert report.quote == before.quote
        assert report.verified == before.verified
    assert accepted <= unsigned
    assert accepted


@pytest.mark.parametrize("name", [recorded.UP_TO_DATE, recorded.GAS_TEST])
def test_bytes_behind_a_quote_change_nothing(name) -> None:
    whole = recorded.quote_of(name)
    time = CASES[name]["suggested_now"]
    before = check(name, time=time)
    end = 636 + int.from_bytes(whole[632:636], "little")
    assert end < len(whole)
    for other in (whole + b"\0", whole + b"more", whole[:end]):
        report = check(name, time=time, evidence=evidence_of(name)._replace(quote=other))
        assert (report.verified, report.conclusion) == (before.verified, before.conclusion)
        assert report.quote is not None
        assert report.quote.identity == parse_quote(whole).identity


def test_flipped_bits_of_collateral() -> None:
    """Accepted only where it changes no member that is read, or lies in armour and roots of chains."""
    name = recorded.UP_TO_DATE
    whole = recorded.collateral_of(name)
    time = CASES[name]["suggested_now"]
    before = check(name, time=time)
    original = json.loads(whole)
    accepted = 0
    for at in range(0, len(whole), 23):
        damaged = flipped(whole, at)
        report = check(name, time=time, evidence=evidence_of(name)._replace(collateral=damaged))
        if report.verified is None:
            continue
        accepted += 1
        assert report.verified == before.verified
        members = json.loads(damaged)
        changed = [key for key in original if members[key] != original[key]]
        assert set(changed) <= {"pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"}
    assert 0 < accepted < len(whole) // 23 // 2


def test_flipped_bits_of_event_logs() -> None:
    """Accepted only where it changes what nobody proved: what entries of registers 0 to 2 say beside their digests."""
    name = recorded.REPORT
    whole = recorded.log_of(name)
    base = evidence_of(name)._replace(collateral=None)
    before = check(name, time=None, evidence=base)
    assert before.replayed is not None
    accepted = 0
    for at in range(0, len(whole), 2):
        report = check(name, time=None, evidence=base._replace(event_log=flipped(whole, at)))
        if result(report, 26) != ("passed", None):
            assert report.conclusion is Conclusion.CONTRADICTED
            continue
        accepted += 1
        assert report.replayed is not None
        assert report.replayed.registers == before.replayed.registers
        assert report.replayed.system == before.replayed.system
        assert report.replayed.application == before.replayed.application
    assert accepted
