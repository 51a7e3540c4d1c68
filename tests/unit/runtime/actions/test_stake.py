"""Stakes: what is locked, what is proposed, and every reason to refuse (runtime/runtime/src/actions.rs)."""

import pytest

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.action import Stake
from near_tee_cli.primitives.schema.records import AccountRecord
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.block import ValidatorProposal
from near_tee_cli.runtime.world import World
from tests.support.worlds import (
    CHAIN,
    CONFIG,
    NEAR,
    NO_MACHINE,
    account,
    block,
    failures,
    overlay_of,
    public_key,
    receipt_of,
)

KEY = public_key("validator")
OTHER = public_key("another validator")
MINIMUM = 10 * NEAR


def staked(locked: int = 0, *, minimum: int | None = MINIMUM) -> World:
    """A world of a.near with 100 NEAR beside what is locked, and of b.near."""
    first, *others = account("a.near")
    first = AccountRecord("a.near", first.account._replace(locked=locked))
    records = [first, *others, *account("b.near")]
    return World.from_records(CONFIG, CHAIN._replace(minimum_stake=minimum), records=records)


def run(state: World, *amounts: int, key: bytes = KEY, number: int = 1):
    stakes = (Stake(amount, key) for amount in amounts)
    return state.produce_block(block(5), receipts=[receipt_of(*stakes, number=number)], machine=NO_MACHINE)


def balances(state: World) -> tuple[int, int]:
    found = rows.account(overlay_of(state), "a.near")
    assert found is not None
    return found.amount, found.locked


def failure(transition) -> object:
    """The kind of the only failure of a transition."""
    (kind,) = failures(transition)
    return kind


def proposed(*stakes: int) -> tuple[ValidatorProposal, ...]:
    return tuple(ValidatorProposal("a.near", KEY, stake) for stake in stakes)


def test_a_first_stake_is_locked_and_proposed() -> None:
    state = staked()
    transition = run(state, MINIMUM)
    assert not failures(transition)
    assert balances(state) == (90 * NEAR, 10 * NEAR)
    assert transition.result.validator_proposals == proposed(MINIMUM)


def test_a_larger_stake_locks_what_is_missing() -> None:
    state = staked(15 * NEAR)
    assert run(state, 20 * NEAR).result.validator_proposals == proposed(20 * NEAR)
    assert balances(state) == (95 * NEAR, 20 * NEAR)


@pytest.mark.parametrize("stake", [MINIMUM, 15 * NEAR, 0])
def test_a_stake_that_is_no_larger_is_proposed_and_frees_nothing(stake) -> None:
    state = staked(15 * NEAR)
    assert run(state, stake).result.validator_proposals == proposed(stake)
    assert balances(state) == (100 * NEAR, 15 * NEAR)


def test_everything_can_be_locked() -> None:
    # What is locked counts for the storage, too.
    state = staked()
    assert not failures(run(state, 100 * NEAR))
    assert balances(state) == (0, 100 * NEAR)


def test_more_than_there_is() -> None:
    state = staked(5 * NEAR)
    transition = run(state, 105 * NEAR + 1)
    assert failure(transition) == {
        "TriesToStake": {
            "account_id": "a.near",
            "stake": str(105 * NEAR + 1),
            "locked": str(5 * NEAR),
            "balance": str(100 * NEAR),
        }
    }
    assert transition.result.validator_proposals == ()
    assert balances(state) == (100 * NEAR, 5 * NEAR)


def test_nothing_from_somebody_with_nothing_at_stake() -> None:
    assert failure(run(staked(), 0)) == {"TriesToUnstake": {"account_id": "a.near"}}


@pytest.mark.parametrize("locked", [0, 15 * NEAR])
def test_less_than_the_minimum(locked) -> None:
    state = staked(locked)
    fields = {"account_id": "a.near", "stake": str(MINIMUM - 1), "minimum_stake": str(MINIMUM)}
    assert failure(run(state, MINIMUM - 1)) == {"InsufficientStake": fields}
    assert balances(state) == (100 * NEAR, locked)


def test_the_balance_is_looked_at_before_the_minimum() -> None:
    state = staked(minimum=200 * NEAR)
    assert "TriesToStake" in failure(run(state, 150 * NEAR))
    assert "InsufficientStake" in failure(run(state, 50 * NEAR, number=2))


def test_only_the_account_itself() -> None:
    receipt = receipt_of(Stake(MINIMUM, KEY), sender="b.near", receiver="a.near")
    transition = staked().produce_block(block(5), receipts=[receipt], machine=NO_MACHINE)
    assert failure(transition) == {"ActorNoPermission": {"account_id": "a.near", "actor_id": "b.near"}}


def test_the_last_of_several_proposals_counts() -> None:
    state = staked()
    receipts = [
        receipt_of(Stake(MINIMUM, OTHER), Stake(30 * NEAR, OTHER), number=1),
        receipt_of(Stake(20 * NEAR, KEY), number=2),
    ]
    result = state.produce_block(block(5), receipts=receipts, machine=NO_MACHINE).result
    assert result.validator_proposals == proposed(20 * NEAR)
    assert balances(state) == (70 * NEAR, 30 * NEAR)


def test_proposals_of_a_receipt_that_fails_are_lost() -> None:
    state = staked()
    transition = run(state, MINIMUM, 200 * NEAR)
    assert "TriesToStake" in failure(transition)
    assert transition.result.validator_proposals == ()
    assert balances(state) == (100 * NEAR, 0)


def test_without_a_known_minimum_an_offer_is_refused_by_name() -> None:
    state = staked(15 * NEAR, minimum=None)
    root = state.root
    with pytest.raises(BadInputError) as refused:
        run(state, MINIMUM)
    assert refused.value.code == "unknown-minimum-stake"
    assert state.root == root
    # What needs no minimum needs no knowledge of it.
    assert run(state, 0, number=2).result.validator_proposals == proposed(0)
    assert "TriesToStake" in failure(run(state, 200 * NEAR, number=3))
