"""Executing again: what is missing, what it may cost, what is compared, and what every end looks like."""

from functools import partial

import pytest

from near_tee_cli.errors import EvidenceError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.proof.bundle import decode_bundle
from near_tee_cli.proof.checks import COMPLETENESS, RE_EXECUTION
from near_tee_cli.proof.limits import MIN_GAS_OF_INPUT
from near_tee_cli.proof.reexecution import (
    MeteredMachine,
    ReplayStore,
    UndecidedError,
    execute_again,
    expected_gas,
)
from near_tee_cli.proof.report import Status
from near_tee_cli.proof.statement import parse
from tests.support.bundles import small_proof, with_node, with_transition
from tests.support.machines import machine

BUNDLE = decode_bundle(small_proof().data)


def again(content):
    """Both checks of a bundle with other content, whatever the checks before say of it."""
    bundle = BUNDLE._replace(content=content)
    parsed, hashes = [parse(one) for one in content.transitions], [sha256(node) for node in content.nodes]
    run = partial(execute_again, bundle, parsed, hashes, codes={}, max_gas=10**18, machine=machine())
    return [(one.number, one.status, one.code, one.detail) for one in run().results]


def test_a_contract_that_is_only_named_cannot_be_told_and_one_that_is_not_is_a_lie() -> None:
    here, named, absent = b"here", sha256(b"named"), sha256(b"absent")
    store = ReplayStore({}, {sha256(here): here, named: None})
    assert store.find(sha256(here)) == here
    with pytest.raises(UndecidedError) as caught:
        store.find(named)
    assert caught.value.code == "missing-code"
    with pytest.raises(EvidenceError) as caught:
        store.find(absent)
    assert caught.value.code == "missing-code"


class Burns:
    """A machine that burns and does nothing else."""

    def __init__(self, gas):
        self.burnt_gas = gas
        self.runs = 0

    def run(self, *_args, **_more):
        self.runs += 1
        return self


def test_a_metered_machine_stops_when_everything_is_spent() -> None:
    inner = Burns(10)
    metered = MeteredMachine(inner, 21)
    run = partial(metered.run, b"", b"", method="m", context=None, external=None, config=None)
    for _ in range(3):
        assert run() is inner
    with pytest.raises(UndecidedError) as caught:
        run()
    assert (caught.value.code, inner.runs) == ("too-expensive", 3)
    metered = MeteredMachine(inner, 10)
    run = partial(metered.run, b"", b"", method="m", context=None, external=None, config=None)
    run()
    with pytest.raises(UndecidedError):
        run()


def test_what_is_expected_to_be_burnt() -> None:
    """What is claimed, or what as many inputs burn at least."""
    first, *others = BUNDLE.content.transitions
    assert (len(first.transactions), len(first.receipts)) == (1, 0)
    total = BUNDLE.claim.gas.total
    assert expected_gas(BUNDLE) == total
    many = first._replace(transactions=first.transactions * 40, receipts=(b"r",) * 2)
    inputs = 42 + sum(len(one.transactions) + len(one.receipts) for one in others)
    assert MIN_GAS_OF_INPUT * inputs > total
    crowded = BUNDLE._replace(content=BUNDLE.content._replace(transitions=(many, *others)))
    assert expected_gas(crowded) == MIN_GAS_OF_INPUT * inputs


def test_both_checks_of_an_honest_bundle() -> None:
    count = len(BUNDLE.content.transitions)
    assert again(BUNDLE.content) == [
        (RE_EXECUTION.number, Status.PASSED, None, f"{count} blocks give the same results"),
        (COMPLETENESS.number, Status.PASSED, None, "everything was read, nothing was missing"),
    ]


def test_another_result_ends_in_the_first_check() -> None:
    ((number, status, code, _),) = again(with_transition(BUNDLE.content, 0, post_root=bytes(32)))
    assert (number, status, code) == (RE_EXECUTION.number, Status.FAILED, "replay-mismatch")


def test_what_was_not_read_ends_in_the_second_and_is_counted() -> None:
    (first, last) = again(with_node(with_node(BUNDLE.content, b"one"), b"two"))
    assert first == (RE_EXECUTION.number, Status.PASSED, None, "as far as executed")
    assert last[:3] == (COMPLETENESS.number, Status.FAILED, "superfluous-node")
    assert last[3] == "transition 0: 2 nodes or values were not read"


def test_a_contract_that_was_not_executed() -> None:
    (_, last) = again(with_transition(BUNDLE.content, 1, codes=(0,)))
    assert last[:3] == (COMPLETENESS.number, Status.FAILED, "superfluous-code")
