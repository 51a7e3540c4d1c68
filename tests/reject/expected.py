"""Valid bundles about something else than was asked for: checks 16, 17 and 20."""

from collections.abc import Iterator

from near_tee_cli.primitives import base58
from tests.reject.entry import Entry
from tests.support.bundles import proof_of, small_proof

_OTHER = "11" * 32


def entries() -> Iterator[Entry]:
    """All of them."""
    proof = small_proof()
    claim = proof.claim
    height = claim.last_height
    for name, code, reason, *flags in (
        ("network", "network", "the claim is about another network", "--network", "mainnet"),
        ("audience", "audience", "the claim is meant for another verifier", "--audience", "verifier.near"),
        ("audience-none", "audience", "the claim is meant for somebody", "--audience", ""),
        ("worker", "worker", "somebody else made the claim", "--worker", "other.near"),
        ("contract", "contract", "another contract was called", "--contract", "b.near"),
        ("code", "code", "the contract has other code", "--code-hash", _OTHER),
        ("method", "method", "another method was called", "--method", "get"),
        ("caller", "caller", "somebody else called", "--caller", "b.near"),
        ("pre-root", "pre-root", "the state before is another", "--pre-root", base58.encode(claim.post_root)),
        ("post-root", "post-root", "the state after is another", "--post-root", base58.encode(claim.pre_root)),
        ("protocol", "protocol-version", "the rules are those of another version", "--protocol-version", "85"),
        ("below", "height", "the first block lies below the range", "--min-height", str(claim.first_height + 1)),
        ("above", "height", "the last block lies above the range", "--max-height", str(height - 1)),
    ):
        yield Entry(f"expected-{name}", ("B11",), reason, proof.data, 20, f"unexpected-{code}", tuple(flags))
    for name, code, reason, *flags in (
        ("age", "too-old", "the claim is older than allowed", "--at", str(height + 101), "--max-age", "100"),
        (
            "future",
            "from-the-future",
            "the claim is younger than the chain",
            "--at",
            str(height - 1),
            "--max-age",
            "100",
        ),
        ("age-unknown", "no-anchor", "nobody knows how old the claim is", "--max-age", "1000000"),
        (
            "other-chain",
            "other-chain",
            "the first block follows another block than the chain's",
            "--at",
            f"{claim.first_height - 1}:{_OTHER}",
        ),
    ):
        yield Entry(f"expected-{name}", ("B11",), reason, proof.data, 20, code, tuple(flags))
    nothing = proof_of("runtime/transactions/transactions-batch-empty").data
    for name, code, *flags in (
        ("method", "method", "--method", "set"),
        ("caller", "caller", "--caller", "a.near"),
        ("code", "code", "--code-hash", _OTHER),
    ):
        yield Entry(
            f"expected-{name}-of-nothing",
            ("B11",),
            "nothing was called",
            nothing,
            20,
            f"unexpected-{code}",
            tuple(flags),
        )
    yield Entry(
        "expected-attestation",
        ("B8",),
        "no evidence stands beside the claim",
        proof.data,
        17,
        "not-attested",
        ("--require", "attested"),
    )
