"""Lies whose digests all fit: none is accepted with execution, and none surprises the verifier without."""

import random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from near_tee_cli.errors import NearTeeError
from near_tee_cli.proof.bundle import Bundle, encode_bundle
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.report import Verdict
from tests.support import cases
from tests.support.bundles import bundle_of, consistent, decided, executed, relabelled
from tests.support.lies import lie, rerooted

FAMILIES = ("promises", "transactions", "fuzz", "state", "host")
NAMES = [name for name in cases.names() if name.split("/")[1] in FAMILIES][::9]
SEEDS = st.integers(0, 2**32)


def told(content, claim):
    """The file in which a liar has made everything fit that can be."""
    try:
        return relabelled(content, claim)
    except NearTeeError:
        return encode_bundle(Bundle(claim, claim_digest(claim), content))


@given(st.sampled_from(NAMES), SEEDS, st.booleans())
def test_no_lie_is_accepted(name, seed, twice) -> None:
    draw = random.Random(seed)
    try:
        bundle = bundle_of(name)
    except NearTeeError:
        assume(False)
    content = lie(draw, bundle.content)
    if twice:
        content = lie(draw, content)
    assume(content != bundle.content)
    data = told(content, bundle.claim)
    report = executed(data, max_gas=10**18)
    assert report.verdict is not Verdict.ESTABLISHED
    assert decided(report)[0] > 0
    without = consistent(data)
    assert without.verdict is not Verdict.INCONCLUSIVE
    if decided(without)[0]:
        assert decided(without) == decided(report)


@given(st.sampled_from(NAMES), SEEDS)
@settings(max_examples=150)
def test_a_state_that_makes_no_sense_is_no_surprise(name, seed) -> None:
    try:
        bundle = bundle_of(name)
    except NearTeeError:
        assume(False)
    assume(bundle.content.nodes)
    content, root = rerooted(random.Random(seed), bundle.content, bundle.claim.pre_root)
    data = told(content, bundle.claim._replace(pre_root=root))
    report = executed(data, max_gas=10**18)
    assert decided(report)[0] > 0 or report.verdict is Verdict.ESTABLISHED
    assert decided(consistent(data))[0] in (0, decided(report)[0])
