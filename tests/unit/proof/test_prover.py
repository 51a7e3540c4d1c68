"""Proving: the same transitions give the same bytes, and nothing leaves that does not verify."""

import pytest

from near_tee_cli.errors import BadInputError, NearTeeError, UnsupportedError
from near_tee_cli.primitives.schema.action import FunctionCall, Stake, Transfer
from near_tee_cli.proof import prover
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.prover import Purpose, prove
from near_tee_cli.proof.report import Verdict
from near_tee_cli.runtime.block import ChainContext
from tests.support import worlds
from tests.support.bundles import SMALL_CONTRACT, applied, executed, relabelled, small_proof
from tests.support.machines import machine
from tests.support.wat import wat

NAME = "runtime/transactions/transactions-transfer-named"


def proved(transitions, world, **options):
    return prove(world.config, world.chain, transitions=transitions, machine=machine(), **options)


def test_same_input_same_bytes() -> None:
    one = proved(applied(NAME)[1], applied(NAME)[0])
    other = proved(applied(NAME)[1], applied(NAME)[0])
    assert one.data == other.data
    assert one.claim == decode_bundle(one.data).claim


def test_the_purpose_stands_in_the_claim_and_changes_no_other_digest() -> None:
    world, transitions = applied(NAME)
    plain = proved(transitions, world).claim
    purpose = Purpose(audience="judge.near", worker="worker.near", sequence=9, previous=bytes(range(32)))
    claim = proved(transitions, world, purpose=purpose).claim
    assert (claim.audience, claim.worker, claim.sequence, claim.previous) == purpose
    assert claim._replace(audience="", worker="", sequence=0, previous=None) == plain


def test_runs_of_blocks_and_single_blocks() -> None:
    world, transitions = applied(NAME)
    assert len(transitions) > 2
    whole = proved(transitions, world)
    parts = [proved([transition], world) for transition in transitions]
    assert [part.claim.pre_root for part in parts[1:]] == [part.claim.post_root for part in parts[:-1]]
    assert (parts[0].claim.pre_root, parts[-1].claim.post_root) == (whole.claim.pre_root, whole.claim.post_root)
    tail = proved(transitions[1:], world)
    assert tail.claim.pre_root == parts[1].claim.pre_root
    assert len(whole.data) < sum(len(part.data) for part in parts)
    nodes = decode_bundle(whole.data).content.nodes
    assert len(nodes) == len(set(nodes))
    sent = [item for transition in decode_bundle(whole.data).content.transitions for item in transition.sent]
    received = [item for transition in decode_bundle(whole.data).content.transitions for item in transition.receipts]
    assert sent
    assert not set(sent) & set(received)


def test_nothing_to_prove_and_blocks_that_do_not_follow() -> None:
    world, transitions = applied(NAME)
    with pytest.raises(BadInputError) as caught:
        proved([], world)
    assert caught.value.code == "nothing-to-prove"
    for wrong in (transitions[::-1], [transitions[0], transitions[2]]):
        with pytest.raises(BadInputError) as caught:
            proved(wrong, world)
        assert caught.value.code == "not-consecutive"


def test_too_much_for_one_bundle(monkeypatch) -> None:
    world, transitions = applied(NAME)
    monkeypatch.setattr("near_tee_cli.proof.bundle.MAX_TRANSITIONS", 2)
    with pytest.raises(BadInputError) as caught:
        proved(transitions, world)
    assert caught.value.code == "bundle-too-large"
    monkeypatch.undo()
    monkeypatch.setattr("near_tee_cli.proof.bundle.MAX_BUNDLE_BYTES", 1000)
    with pytest.raises(BadInputError) as caught:
        proved(transitions, world)
    assert caught.value.code == "bundle-too-large"


def test_a_contract_that_the_state_lacks_cannot_be_proven() -> None:
    world, transitions = applied("runtime/transactions/transactions-global-gone-hash")
    with pytest.raises(UnsupportedError) as caught:
        proved(transitions, world)
    assert caught.value.code == "unsupported-missing-code"


def test_a_bundle_that_does_not_verify_is_not_given_out() -> None:
    world, transitions = applied(NAME)
    lie = transitions[0]._replace(result=transitions[0].result._replace(gas_burnt=1, delayed_receipts_count=5))
    with pytest.raises(NearTeeError) as caught:
        proved([lie], world)
    assert caught.value.code == "self-check-failed"
    assert "check 14" in caught.value.message


def test_the_prover_pays_for_its_own_check() -> None:
    assert prover.UNBOUNDED_GAS > 2**64
    assert small_proof().report.checks[13].status.value == "passed"


def test_code_is_there_once_however_many_accounts_run_it() -> None:
    code = wat(SMALL_CONTRACT)
    world = worlds.world(worlds.account("a.near", code=code), worlds.account("b.near", code=code))
    calls = [
        worlds.receipt_of(FunctionCall("set", b"", 10**13, 0), sender=name, number=number)
        for number, name in enumerate(["a.near", "b.near"])
    ]
    transition = world.produce_block(worlds.block(1), receipts=calls, machine=machine())
    proof = proved([transition], world)
    assert proof.data.count(code) == 1
    assert proof.claim.calls == 2
    assert proof.claim.call is None


def test_validators_are_part_of_what_is_claimed() -> None:
    def claim(validators, minimum_stake=None):
        chain = ChainContext("localnet", validators, minimum_stake)
        world = worlds.World.from_records(worlds.CONFIG, chain, records=worlds.account("a.near"))
        transfer = worlds.transact("a.near", "a.near", Transfer(1))
        transition = world.produce_block(worlds.block(1), transactions=[transfer], machine=machine())
        return proved([transition], world)

    some = [claim(()), claim((("v.near", 5),)), claim((), 0), claim((), 5)]
    assert len({one.claim.input_digest for one in some}) == len(some)
    assert len({one.claim.outcome_digest for one in some}) == 1
    assert all(executed(one.data).verdict is Verdict.ESTABLISHED for one in some)


def test_a_stake_is_proved_under_the_minimum_that_was_in_force() -> None:
    chain = ChainContext("localnet", (), 5 * worlds.NEAR)
    world = worlds.World.from_records(worlds.CONFIG, chain, records=worlds.account("a.near"))
    stakes = [
        worlds.transact("a.near", "a.near", Stake(amount * worlds.NEAR, worlds.public_key("v")), nonce=nonce)
        for nonce, amount in ((1, 4), (2, 6))
    ]
    transition = world.produce_block(worlds.block(1), transactions=stakes, machine=machine())
    proof = proved([transition], world)
    assert executed(proof.data).verdict is Verdict.ESTABLISHED
    bundle = decode_bundle(proof.data)
    assert [proposal.stake for proposal in bundle.content.transitions[0].chunk.validator_proposals] == [6 * worlds.NEAR]
    for other in (None, 0, 7 * worlds.NEAR):
        report = executed(relabelled(bundle.content._replace(minimum_stake=other), bundle.claim))
        assert report.verdict is Verdict.CONTRADICTED, other
