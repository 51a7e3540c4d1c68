"""Valid bundles about something else than was asked for: checks 16, 17 and 20."""

from collections.abc import Iterator

from near_tee_cli.primitives import base58
from near_tee_cli.primitives.schema.access_key import full_access_key
from near_tee_cli.primitives.schema.action import AddKey, Transfer
from near_tee_cli.primitives.schema.receipt import DATA, DataReceipt, Receipt
from tests.reject.deployed import CALL, DEPLOY, OLD_HASH, proof, received
from tests.reject.entry import Entry
from tests.support.bundles import proof_of, small_proof
from tests.support.worlds import public_key

_OTHER = "11" * 32


def entries() -> Iterator[Entry]:
    """All of them."""
    small = small_proof()
    claim = small.claim
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
        yield Entry(f"expected-{name}", ("B11",), reason, small.data, 20, f"unexpected-{code}", tuple(flags))
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
        yield Entry(f"expected-{name}", ("B11",), reason, small.data, 20, code, tuple(flags))
    yield from _beside()
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
        small.data,
        17,
        "not-attested",
        ("--require", "attested"),
    )


def _beside() -> Iterator[Entry]:
    """Other code than was expected, and other things than calls."""
    code = ("--code-hash", OLD_HASH.hex())
    call = ("--contract", "a.near", "--method", "set", "--caller", "a.near")
    data = Receipt("a.near", "a.near", b"\2" * 32, DataReceipt(DATA, bytes(32), None))
    deployed = {
        "receipt": (received(1, DEPLOY, CALL),),
        "block": (received(1, DEPLOY), received(2, CALL)),
    }
    for where, receipts in deployed.items():
        for version in (84, 86):
            yield Entry(
                f"expected-code-deployed-in-the-same-{where}-{version}",
                ("B10", "B11"),
                f"a contract is deployed in the {where} of the call",
                proof(receipts, version=version).data,
                20,
                "unexpected-code",
                (*code, *call),
            )
        yield Entry(
            f"expected-method-beside-a-deployment-in-the-{where}",
            ("B11",),
            "a contract is deployed beside the call",
            proof(receipts).data,
            20,
            "unexpected-method",
            call,
        )
    for what, other in (
        ("key", received(2, AddKey(public_key("b.near"), full_access_key(0)))),
        ("transfer", received(2, Transfer(1))),
        ("datum", data),
    ):
        yield Entry(
            f"expected-caller-beside-a-{what}",
            ("B11",),
            f"a {what} comes in beside the call",
            proof((received(1, CALL), other)).data,
            20,
            "unexpected-caller",
            ("--caller", "a.near"),
        )
