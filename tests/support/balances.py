"""All the tokens of a world, and what a block took out of circulation: the other way to sum up."""

from near_tee_cli.runtime.balances import receipt_value, row_tokens
from near_tee_cli.runtime.world import Transition, World


def tokens_of(world: World) -> int:
    """yoctoNEAR in the state and in flight."""
    config = world.config
    total = sum(receipt_value(config, receipt) for receipt in world.in_flight)
    return total + sum(row_tokens(config, key, value).amount for key, value in world.rows())


def gone(transition: Transition) -> int:
    """yoctoNEAR that left circulation in a block, less those that came into it.

    Gas that was bought more cheaply than it burns is burnt at the price it was bought at, so a deficit is no loss.
    """
    stats = transition.result.balance_stats
    return stats.tx_burnt_amount + stats.slashed_burnt_amount + stats.other_burnt_amount - stats.subsidized_amount
