"""Components of valid bundles in one another, bits of three, and every number of a claim."""

import itertools

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.proof.bundle import Bundle, Content, Transition, decode_bundle, encode_bundle
from near_tee_cli.proof.claim import Claim, claim_digest
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.verifier import verify
from tests.support import cases
from tests.support.bundles import consistent, decided, executed, proof_of, relabelled, small_proof, with_transition
from tests.support.machines import machine

BASES = (
    "small",
    "runtime/promises/promises-global-bad-hash",
    "runtime/queue/queue-initial-buffered",
    "runtime/state/state-proof-limit",
    "runtime/transactions/transactions-batch-empty",
    "runtime/transactions/transactions-views",
    "runtime/yields/yields-resume-bad-id",
    "vm/host/host_views",
    "vm/prog/prog_054",
    "vm/state/state_values",
)
PAIRS = list(itertools.permutations(BASES, 2))
SMALLEST = ("small", "runtime/transactions/transactions-views", "vm/host/host_views")


def file_of(name) -> bytes:
    return small_proof().data if name == "small" else proof_of(name).data


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{one}<-{other}" for one, other in PAIRS])
def test_no_component_of_another_bundle_is_accepted(one, other) -> None:
    """As it is, whatever it is. With digests made to fit, only where the result is a true claim of its own."""
    bundle, donor = decode_bundle(file_of(one)), decode_bundle(file_of(other))
    for field in (*Bundle._fields[:3], *Content._fields, *Claim._fields):
        swapped = _swapped(bundle, donor, field)
        if swapped == bundle:
            continue
        try:
            data = encode_bundle(swapped)
        except BadInputError:
            continue
        assert executed(data).verdict is not Verdict.ESTABLISHED, field


def _swapped(bundle: Bundle, donor: Bundle, field: str) -> Bundle:
    if field in Content._fields:
        return bundle._replace(content=bundle.content._replace(**{field: getattr(donor.content, field)}))
    if field in Claim._fields:
        return bundle._replace(claim=bundle.claim._replace(**{field: getattr(donor.claim, field)}))
    return bundle._replace(**{field: getattr(donor, field)})


RESULTS = ("post_root", "outcomes", "sent", "changes", "chunk", "nodes", "codes")
"""What follows from the rest of a transition, so that there is one true value."""


@pytest.mark.parametrize(("one", "other"), PAIRS[::3], ids=[f"{one}<-{other}" for one, other in PAIRS[::3]])
def test_no_result_of_another_bundle_is_accepted_in_a_claim_that_fits(one, other) -> None:
    bundle, donor = decode_bundle(file_of(one)), decode_bundle(file_of(other))
    for field in Transition._fields:
        if field not in RESULTS:
            continue
        value = getattr(donor.content.transitions[0], field)
        if field in ("nodes", "codes"):
            value = tuple(position for position in value if position < len(getattr(bundle.content, field)))
        if value == getattr(bundle.content.transitions[0], field):
            continue
        data = relabelled(with_transition(bundle.content, 0, **{field: value}), bundle.claim)
        assert executed(data).verdict is not Verdict.ESTABLISHED, field


@pytest.mark.long
@pytest.mark.parametrize("name", SMALLEST)
def test_no_flipped_bit_is_accepted(name) -> None:
    data = file_of(name)
    assert len(data) <= 4096
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            report = executed(bytes(flipped))
            assert report.verdict is not Verdict.ESTABLISHED, (position, bit)
            assert report.code is not None


NUMBERS = [name for name, value in zip(Claim._fields, small_proof().claim, strict=True) if isinstance(value, int)]
FREE = ("sequence",)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("number", NUMBERS)
def test_no_other_number_is_accepted(name, number) -> None:
    bundle = decode_bundle(file_of(name))
    value = getattr(bundle.claim, number)
    for other in {value + 1, abs(value - 1), 0, 1, 2**31, value ^ 1} - {value}:
        claim = bundle.claim._replace(**{number: other})
        assert consistent(encode_bundle(bundle._replace(claim=claim))).verdict is not Verdict.ESTABLISHED
        resigned = encode_bundle(bundle._replace(claim=claim, claim_digest=claim_digest(claim)))
        if number not in FREE:
            assert decided(consistent(resigned))[1] is not None, (number, other)


@pytest.mark.parametrize("name", BASES)
def test_no_gas_of_another_kind_is_accepted(name) -> None:
    bundle = decode_bundle(file_of(name))
    for kind in bundle.claim.gas._fields:
        gas = bundle.claim.gas._replace(**{kind: getattr(bundle.claim.gas, kind) + 1})
        claim = bundle.claim._replace(gas=gas)
        report = consistent(encode_bundle(bundle._replace(claim=claim, claim_digest=claim_digest(claim))))
        assert decided(report)[1] in ("content-mismatch", "gas-mismatch")


def test_the_bases_are_valid_and_differ() -> None:
    assert len({file_of(name) for name in BASES}) == len(BASES)
    for name in BASES:
        assert verify(file_of(name), machine=machine(), max_gas=10**18).verdict is Verdict.ESTABLISHED, name
        assert name == "small" or name in cases.names()
