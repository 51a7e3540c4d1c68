"""What an action works with: the receipt it belongs to, the account as it stands, and the result it fills in.

The account lives here through all actions of a receipt and is written once, at the end; keys, data and code are
written as they happen.

Mirrors nearcore: runtime/runtime/src/lib.rs (`ActionResult`, `ActionReceiptResult`)
"""

from near_tee_cli.primitives.schema.account import Account
from near_tee_cli.primitives.schema.outcome import ErrorKind
from near_tee_cli.primitives.schema.receipt import ActionReceipt, Receipt
from near_tee_cli.runtime.block import ValidatorProposal
from near_tee_cli.runtime.chunk import Chunk
from near_tee_cli.vm.context import PromiseResult
from near_tee_cli.vm.outcome import NO_PROFILE, ReturnData


class Execution:
    """One action receipt in execution. `account` is `None` while the account does not exist."""

    __slots__ = ("account", "account_id", "action_index", "actor_id", "body", "chunk", "promise_results", "receipt")

    def __init__(
        self,
        chunk: Chunk,
        receipt: Receipt,
        *,
        body: ActionReceipt,
        account: Account | None,
        promise_results: tuple[PromiseResult, ...],
    ) -> None:
        self.chunk = chunk
        self.receipt = receipt
        self.body = body
        self.account_id = receipt.receiver_id
        self.account = account
        self.actor_id = receipt.predecessor_id
        self.promise_results = promise_results
        self.action_index = 0

    @property
    def existing(self) -> Account:
        """The account, for actions that only run when it exists."""
        if self.account is None:
            raise TypeError("the account was checked to exist")
        return self.account


class ActionResult:
    """What one action came to: gas and compute, its value, and what it sends. A failed one has an `error`."""

    __slots__ = (
        "compute",
        "error",
        "gas_burnt",
        "gas_burnt_for_function_call",
        "gas_used",
        "logs",
        "new_receipts",
        "profile",
        "proposals",
        "subsidized_amount",
        "tokens_burnt",
        "value",
    )

    def __init__(self, gas: int, compute: int) -> None:
        self.gas_burnt = gas
        self.gas_used = gas
        self.compute = compute
        self.gas_burnt_for_function_call = 0
        self.value: ReturnData = None
        self.error: ErrorKind | None = None
        self.logs: tuple[str, ...] = ()
        self.new_receipts: list[Receipt] = []
        self.proposals: list[ValidatorProposal] = []
        self.profile = NO_PROFILE
        self.tokens_burnt = 0
        self.subsidized_amount = 0
