"""The synthetic infrastructure through the library that decides: every standing, and never under Intel's root."""

import json

import dcap_qvl
import pytest
from cryptography import x509

from near_tee_cli.attest.collateral import parse_collateral
from near_tee_cli.attest.guest_agent import SIMULATED_OWNER, is_simulated
from near_tee_cli.attest.quote import DEBUG, PERFMON, PROTECTION_KEYS, SEPT_VE_DISABLE, parse_quote
from near_tee_cli.attest.synthetic_pki import LIFETIME, Platform, SyntheticPki, Td
from near_tee_cli.errors import BadInputError
from tests.support import attestation_pki

SEED = b"a seed"
ISSUED = 1_790_000_000
NOW = ISSUED + 3600
TD = Td(
    mr_td=bytes([1]) * 48,
    registers=(bytes([2]) * 48, bytes([3]) * 48, bytes([4]) * 48, bytes([5]) * 48),
    report_data=bytes(range(64)),
    mr_config_id=bytes([6]) * 48,
)
STATUSES = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
)


def pki(**platform):
    return SyntheticPki(SEED, issued=ISSUED, platform=Platform(**platform))


def given(made):
    return dcap_qvl.QuoteCollateralV3.from_json(made.collateral().decode())


def verify(made, *, td=TD, root=None, now=NOW, signer=None):
    """The verified report, or the library's words of refusal; and Intel's root refuses it in any case."""
    quote = (signer or made).quote(td)
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify(quote, given(made), now)
    try:
        report = dcap_qvl.verify_with_root_ca(quote, given(made), root or made.root, now)
    except ValueError as error:
        return str(error)
    return json.loads(report.to_json())


@pytest.mark.parametrize("status", STATUSES)
def test_status_is_the_one_asked_for(status):
    assert verify(pki(status=status))["status"] == status


@pytest.mark.parametrize("status", ["UpToDate", "OutOfDate"])
def test_status_of_the_quoting_enclave_counts(status):
    report = verify(pki(qe_status=status))
    assert (report["status"], report["qe_status"]["status"]) == (status, status)


def test_advisories_are_named():
    report = verify(pki(status="OutOfDate", advisory_ids=("INTEL-SA-00000",)))
    assert report["advisory_ids"] == ["INTEL-SA-00000"]


@pytest.mark.parametrize(
    ("made", "td", "words"),
    [
        (pki(status="Revoked"), TD, "TCB status is invalid"),
        (pki(qe_status="Revoked"), TD, "TCB status is invalid"),
        (pki(status="Unheard"), TD, "unknown variant"),
        (pki(revoked=True), TD, "CertRevoked"),
        (pki(), TD._replace(td_attributes=SEPT_VE_DISABLE | DEBUG), "Debug mode"),
        (pki(), TD._replace(td_attributes=0), "SEPT_VE_DISABLE"),
        (pki(), TD._replace(td_attributes=SEPT_VE_DISABLE | 1 << 32), "Reserved bits"),
    ],
    ids=["revoked-level", "revoked-enclave", "unknown-status", "revoked-machine", "debug", "sept-ve", "reserved-bit"],
)
def test_refused(made, td, words):
    assert words in verify(made, td=td)


@pytest.mark.parametrize("bit", [PROTECTION_KEYS, PERFMON])
def test_attributes_that_a_policy_decides_about_are_accepted(bit):
    assert verify(pki(), td=TD._replace(td_attributes=SEPT_VE_DISABLE | bit))["status"] == "UpToDate"


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (ISSUED - 1, "future"),
        (ISSUED, None),
        (ISSUED + LIFETIME - 1, None),
        (ISSUED + LIFETIME, "CrlExpired"),
        (ISSUED + LIFETIME + 1, "expired"),
    ],
)
def test_time(now, words):
    answer = verify(pki(), now=now)
    assert answer["status"] == "UpToDate" if words is None else words.lower() in answer.lower()


def test_window_is_the_one_that_is_said():
    made = pki()
    assert parse_collateral(made.collateral()).window == (made.issued, made.expires)


def test_other_root_is_refused():
    other = SyntheticPki(b"another seed", issued=ISSUED)
    assert "UnknownIssuer" in verify(pki(), signer=other)
    assert "Crl" in verify(pki(), root=other.root)


@pytest.mark.parametrize("at", [0, 47, 48, 48 + 583])
def test_signed_part_cannot_be_changed(at):
    made = pki()
    quote = bytearray(made.quote(TD))
    quote[at] ^= 1
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify_with_root_ca(bytes(quote), given(made), made.root, NOW)


def test_quote_says_what_it_was_told_and_that_it_is_simulated():
    quote = parse_quote(pki().quote(TD))
    td = quote.td
    assert (quote.version, quote.body) == (4, "TD10")
    assert (td.mr_td, td.registers, td.report_data) == (TD.mr_td, TD.registers, TD.report_data)
    assert (td.mr_config_id, td.td_attributes) == (TD.mr_config_id, TD.td_attributes)
    assert is_simulated(td)
    assert SIMULATED_OWNER in quote.signed
    assert b"NOT INTEL" in SIMULATED_OWNER
    assert b"NOT INTEL" in quote.signed[:48]
    assert not is_simulated(parse_quote(attestation_pki.quote()).td)


def test_every_name_says_not_intel():
    made = pki()
    root = x509.load_der_x509_certificate(made.root)
    assert "NOT INTEL" in root.subject.rfc4514_string()
    assert x509.load_pem_x509_certificate(made.root_pem.encode()) == root
    members = json.loads(made.collateral())
    chains = dcap_qvl.parse_quote(made.quote(TD)).cert_chain_pem_bytes() + b"".join(
        value.encode() for name, value in members.items() if name.endswith("_chain")
    )
    names = [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(chains)]
    assert len(names) == 9
    assert all("NOT INTEL" in name for name in names)


def test_everything_repeats_with_seed_and_date():
    ones, twos = pki(), pki()
    assert ones.collateral() == twos.collateral()
    assert ones.quote(TD) == twos.quote(TD)
    later = SyntheticPki(SEED, issued=ISSUED + 1)
    assert later.root == ones.root != SyntheticPki(b"another", issued=ISSUED).root
    assert later.collateral() != ones.collateral()


@pytest.mark.parametrize(
    "td",
    [
        TD._replace(mr_td=bytes(47)),
        TD._replace(mr_config_id=bytes(49)),
        TD._replace(registers=(bytes(48), bytes(48), bytes(48), b"")),
        TD._replace(report_data=bytes(63)),
    ],
)
def test_lengths_are_checked(td):
    with pytest.raises(BadInputError) as caught:
        pki().quote(td)
    assert caught.value.code == "bad-length"


@pytest.mark.parametrize(("issued", "lifetime"), [(0, 1), (-1, 1), (2_524_521_600, 86_400), (ISSUED, 0), (2**60, 1)])
def test_dates_that_certificates_cannot_hold(issued, lifetime):
    with pytest.raises(BadInputError) as caught:
        SyntheticPki(SEED, issued=issued, lifetime=lifetime)
    assert caught.value.code == "bad-time"
