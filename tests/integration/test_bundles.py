"""Bundles of recorded cases, verified both ways; every bit of a small one flipped."""

import pytest

from near_tee_cli.errors import BadInputError, InconsistentStateError
from near_tee_cli.proof.checks import RE_EXECUTION
from near_tee_cli.proof.prover import prove
from near_tee_cli.proof.report import Strength, Verdict
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from tests.support import cases
from tests.support.bundles import consistent, decided, executed, small_proof
from tests.support.machines import machine

NAMES = cases.names()[::15]


def transitions_of(name):
    """The world of a case and its transitions, up to a block that fails as a whole."""
    case = cases.case(name)
    world = world_of_case(case)
    transitions = []
    for block in case.blocks:
        try:
            transitions.append(apply_case_block(world, block, machine=machine()).transition)
        except (BadInputError, InconsistentStateError):
            break
    return world, transitions


@pytest.mark.parametrize("name", NAMES)
def test_recorded_cases_are_proved_and_verified_both_ways(name) -> None:
    world, transitions = transitions_of(name)
    if not transitions:
        pytest.skip("the first block of the case fails as a whole")
    proof = prove(world.config, world.chain, transitions=transitions, machine=machine())
    report = executed(proof.data, max_gas=10**18)
    assert report.verdict is Verdict.ESTABLISHED, report.message
    assert report.strengths == {Strength.CONSISTENT, Strength.RE_EXECUTED}
    report = consistent(proof.data)
    assert (report.verdict, report.strengths) == (Verdict.ESTABLISHED, {Strength.CONSISTENT})
    assert proof.claim.post_root == transitions[-1].result.state_root
    assert proof.claim.gas.total == sum(transition.result.gas_burnt for transition in transitions)
    expect = cases.case(name).expect
    assert proof.claim.transitions == sum("error" not in block for block in expect["blocks"])


def test_there_are_fifty_of_them() -> None:
    assert len(NAMES) >= 50
    assert len({name.rpartition("/")[0] for name in NAMES}) >= 10


def test_both_compilers_give_the_same_bundle() -> None:
    for name in NAMES[::6]:
        case = cases.case(name)
        files = set()
        for compiler in ("winch", "cranelift"):
            world = world_of_case(case)
            try:
                transitions = [
                    apply_case_block(world, block, machine=machine(compiler)).transition for block in case.blocks
                ]
            except (BadInputError, InconsistentStateError):
                continue
            files.add(prove(world.config, world.chain, transitions=transitions, machine=machine(compiler)).data)
        assert len(files) <= 1


@pytest.mark.slow
def test_no_flipped_bit_is_accepted() -> None:
    data = small_proof().data
    assert len(data) < 4096
    codes = set()
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            report = executed(bytes(flipped))
            assert report.verdict is not Verdict.ESTABLISHED, (position, bit)
            number, code = decided(report)
            # Nothing has to be executed to see it.
            assert number < RE_EXECUTION.number, (position, bit)
            codes.add((number, code))
    assert {
        (1, "not-a-bundle"),
        (2, "malformed-bundle"),
        (4, "claim-digest-mismatch"),
        (5, "content-mismatch"),
    } <= codes


@pytest.mark.slow
def test_no_part_of_a_file_is_accepted() -> None:
    data = small_proof().data
    for end in range(len(data)):
        assert executed(data[:end]).malformed
