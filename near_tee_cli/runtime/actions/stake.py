"""Offers to validate.

How much has to be offered at least is decided by the epochs of the chain, which are not part of the state: whoever
applies a block says it in the chain's context.

Mirrors nearcore: runtime/runtime/src/actions.rs (`action_stake`)
"""

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.schema.action import Stake
from near_tee_cli.runtime.actions.execution import ActionResult, Execution
from near_tee_cli.runtime.block import ValidatorProposal


def stake(execution: Execution, action: Stake, *, result: ActionResult) -> None:
    """Lock what is offered beyond what is locked already; less is unlocked by the chain, when an epoch ends.

    Raises `BadInputError` (`unknown-minimum-stake`) when the offer has to be held against a minimum that nobody gave.
    """
    account, account_id = execution.existing, execution.account_id
    increment = max(action.stake - account.locked, 0)
    if account.amount < increment:
        result.error = {
            "TriesToStake": {
                "account_id": account_id,
                "stake": str(action.stake),
                "locked": str(account.locked),
                "balance": str(account.amount),
            }
        }
        return
    if not account.locked and not action.stake:
        result.error = {"TriesToUnstake": {"account_id": account_id}}
        return
    if action.stake:
        minimum = execution.chunk.chain.minimum_stake
        if minimum is None:
            raise BadInputError(
                f"{account_id} offers a stake, and the minimum stake of the chain is not known",
                code="unknown-minimum-stake",
                hint="--minimum-stake gives it, and so does minimum_stake of a snapshot",
            )
        if action.stake < minimum:
            fields = {"account_id": account_id, "stake": str(action.stake), "minimum_stake": str(minimum)}
            result.error = {"InsufficientStake": fields}
            return
    result.proposals.append(ValidatorProposal(account_id, action.public_key, action.stake))
    if action.stake > account.locked:
        execution.account = account._replace(amount=account.amount - increment, locked=action.stake)
