"""The contract of a call is the one that ran, not the one that the state before names."""

import pytest

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.account import (
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
    encode_account,
    new_account,
)
from near_tee_cli.primitives.schema.action import FunctionCall, Transfer
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.call_contracts import Contracts
from near_tee_cli.proof.expectations import Expectations
from near_tee_cli.proof.report import Verdict
from near_tee_cli.proof.statement import calls_of, parse
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.state import keys
from near_tee_cli.state.store import MemoryStore
from near_tee_cli.state.trie import Trie
from tests.reject.deployed import CALL, DEPLOY, NEW_HASH, OLD_HASH, proof, received
from tests.support.bundles import executed, small_proof, with_transition

CREATED = (
    ("in the receipt", ((received(1, DEPLOY, CALL),),), [NEW_HASH], [None]),
    ("in the block", ((received(1, DEPLOY), received(2, CALL)),), [NEW_HASH], [None]),
    (
        "between calls",
        ((received(1, CALL), received(2, DEPLOY), received(3, CALL)),),
        [OLD_HASH, NEW_HASH],
        [OLD_HASH, None],
    ),
    ("after the call", ((received(1, CALL, DEPLOY, CALL),),), [OLD_HASH, NEW_HASH], [OLD_HASH, None]),
    ("a block before", ((received(1, DEPLOY),), (received(2, CALL),)), [NEW_HASH], [NEW_HASH]),
    ("by nothing", ((received(1, CALL, CALL), received(2, CALL)),), [OLD_HASH] * 3, [OLD_HASH, OLD_HASH, None]),
    ("behind a transfer", ((received(1, Transfer(1), CALL),),), [OLD_HASH], [None]),
    ("and failed", ((received(1, FunctionCall("none", b"", 10**12, 0), CALL),),), [OLD_HASH, None], [OLD_HASH] * 2),
)  # fmt: skip


def hashes(made) -> list[bytes | None]:
    bundle = decode_bundle(made.data)
    content = bundle.content
    named = [sha256(node) for node in content.nodes]
    roots = (bundle.claim.pre_root, *(one.post_root for one in content.transitions))
    tries = [
        Trie(MemoryStore({named[node]: content.nodes[node] for node in one.nodes}), root)
        for one, root in zip(content.transitions, roots, strict=False)
    ]
    return [call.code_hash for call in calls_of(content, [parse(one) for one in content.transitions], tries)]


@pytest.mark.parametrize(("blocks", "new", "old"), [case[1:] for case in CREATED], ids=[case[0] for case in CREATED])
def test_a_contract_that_is_deployed(blocks, new, old) -> None:
    """In the versions whose outcomes have the contracts, and in one whose outcomes have none."""
    for version, expected in ((86, new), (84, old)):
        made = proof(*blocks, version=version)
        assert executed(made.data).verdict is Verdict.ESTABLISHED
        assert hashes(made) == expected, version


def test_it_is_never_taken_for_the_one_before() -> None:
    for (_, blocks, found, _), version in ((case, version) for case in CREATED for version in (84, 86)):
        if NEW_HASH not in found:
            continue
        expected = (Expectations(code_hash=frozenset({OLD_HASH})),)
        report = verify(proof(*blocks, version=version).data, require=NO_REPLAY, expectations=expected)
        assert (report.verdict, report.code) == (Verdict.CONTRADICTED, "unexpected-code")


CONTENT = decode_bundle(small_proof().data).content
ENTRY = CONTENT.transitions[0].outcomes[-1]
ONE, TWO = b"\1" * 32, b"\2" * 32
SHARED = GlobalContractByAccount("shared.near")
ROW = keys.global_contract_code(SHARED)
ACCOUNT = encode_account(new_account(1, 0, contract=LocalContract(ONE), storage_usage=0))
TRIE = Trie(MemoryStore({}), bytes(32)).update({ROW: b"code", keys.account("a.near"): ACCOUNT})


def of_call(
    *contracts, changes=(), outcomes=1, action=0, known=True, executed_id=ENTRY.id, behind_calls=False, version=4,
    account="a.near", transactions=(),
):  # fmt: skip
    """What is found for an action of the receipt whose outcome has these contracts."""
    metadata = ENTRY.outcome.metadata._replace(contracts=contracts, version=version)
    entry = ENTRY._replace(outcome=ENTRY.outcome._replace(metadata=metadata))
    content = CONTENT
    for position in range(2):
        content = with_transition(content, position, changes=changes, outcomes=(entry,) if position < outcomes else ())
    trie = Trie(MemoryStore(TRIE[1] if known else {}), TRIE[0])
    contracts_of = Contracts(content, [trie, trie], [set(transactions), set()])
    return contracts_of.of_call(executed_id, action, account, behind_calls=behind_calls)


def test_what_an_outcome_says() -> None:
    both = (LocalContract(ONE), GlobalContract(TWO))
    assert [of_call(*both, action=action) for action in range(3)] == [ONE, TWO, None]
    assert of_call(None) is None
    assert of_call(*both, executed_id=None) is None
    assert of_call(*both, executed_id=b"\3" * 32) is None
    assert of_call(*both, outcomes=2) is None
    assert of_call(*both, version=3) is None


def test_what_the_state_before_says() -> None:
    """For what came first both have to say the same; an outcome that cannot tell leaves it to the state."""
    assert ENTRY.outcome.executor_id == "a.near"
    first = {"behind_calls": True}
    assert of_call(LocalContract(ONE), **first) == of_call(version=3, **first) == ONE
    assert of_call(LocalContract(ONE), LocalContract(ONE), action=1, **first) == ONE
    for told in ((LocalContract(TWO),), (GlobalContract(ONE),), (None,), ()):
        assert of_call(*told, **first) is None
    assert of_call(LocalContract(TWO), account="b.near", **first) == TWO
    assert of_call(LocalContract(TWO), transactions=(ENTRY.id,), **first) == TWO
    for version in (3, 4):
        with pytest.raises(MissingNodeError):
            of_call(LocalContract(ONE), known=False, version=version, **first)


def test_what_is_shared_by_an_account() -> None:
    assert of_call(SHARED) == sha256(b"code")
    assert of_call(SHARED, changes=((b"\x12other", None), (b"\x13", b""))) == sha256(b"code")
    assert of_call(SHARED, changes=((ROW, b"code"),)) is None
    assert of_call(GlobalContractByAccount("other.near")) is None
    assert of_call(SHARED, known=False) is None
