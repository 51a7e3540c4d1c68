"""Who called whom: every transaction and receipt of a run below the one that sent it.

What executed has an outcome, and the outcome names what it sent. A receipt that has none is in flight, delayed, or
waits: for results of others, or for data from outside. Data receipts are not among them; which receipt waited for
which is shown at the one that waited.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli.execution import Execution
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.schema import action as actions_
from near_tee_cli.primitives.schema.outcome import ExecutionOutcome, Failure, SuccessReceiptId, SuccessValue
from near_tee_cli.primitives.schema.receipt import SYSTEM, YIELD_TAGS, ActionReceipt, Receipt
from near_tee_cli.primitives.schema.transaction import SignedTransaction
from near_tee_cli.primitives.schema.views import action_view
from near_tee_cli.runtime.fees import total_deposit
from near_tee_cli.runtime.yield_history import EXECUTED, Yield
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie


class Node(NamedTuple):
    """One transaction or receipt."""

    id: bytes
    kind: str
    """`transaction`, `receipt`, `yield`, `gas refund`, `deposit refund`, or `distribution` of a global contract."""
    predecessor_id: str
    receiver_id: str
    actions: tuple[actions_.Action, ...]
    state: str
    """`success`, `failure`, `in flight`, `delayed`, `waits for results`, `waits for data`."""
    height: int | None
    """Of the block in which it executed."""
    outcome: ExecutionOutcome | None
    waited_for: tuple[bytes, ...]
    """Ids of the receipts whose results it was given, as far as they are known here."""
    children: tuple[bytes, ...]


class Tree(NamedTuple):
    """The nodes of a run by id, and those that nobody here sent, in order."""

    nodes: Mapping[bytes, Node]
    roots: tuple[bytes, ...]

    def walk(self) -> Iterable[tuple[int, Node]]:
        """Depth and node, parents before children, each node once."""
        pending = [(0, identity) for identity in reversed(self.roots)]
        while pending:
            depth, identity = pending.pop()
            node = self.nodes[identity]
            yield depth, node
            pending += [(depth + 1, child) for child in reversed(node.children)]


def tree_of(execution: Execution) -> Tree:
    """The tree of a run."""
    return _Builder(execution).tree()


class _Builder:
    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.heights: dict[bytes, int] = {}
        self.receipts: dict[bytes, Receipt] = {}
        self.transactions: dict[bytes, SignedTransaction] = {}
        self.sources: dict[bytes, bytes] = {}
        """Data id -> the receipt whose result it is."""
        for transition in execution.transitions:
            result = transition.result
            self.heights.update((entry.id, transition.block.height) for entry in result.outcomes)
            self.transactions.update((one.hash, one) for one in transition.inputs.transactions)
            for receipt in (*transition.inputs.receipts, *result.executed_receipts, *result.outgoing_receipts):
                self._note(receipt)
        self.yields = {one.receipt_id: one for one in execution.yields}

    def _note(self, receipt: Receipt) -> None:
        body = receipt.body
        if isinstance(body, ActionReceipt):
            self.receipts[receipt.receipt_id] = receipt
            for data_receiver in body.output_data_receivers:
                self.sources[data_receiver.data_id] = receipt.receipt_id

    def tree(self) -> Tree:
        nodes: dict[bytes, Node] = {}
        for identity, entry in self.execution.outcomes.items():
            nodes[identity] = self._executed(identity, entry.outcome)
        for node in tuple(nodes.values()):
            for child in node.children:
                if child not in nodes:
                    nodes[child] = self._unexecuted(child)
        for receipt in self.execution.world.in_flight:
            if isinstance(receipt.body, ActionReceipt) and receipt.receipt_id not in nodes:
                nodes[receipt.receipt_id] = self._unexecuted(receipt.receipt_id)
        sent = {child for node in nodes.values() for child in node.children}
        return Tree(nodes, tuple(identity for identity in nodes if identity not in sent))

    def _executed(self, identity: bytes, outcome: ExecutionOutcome) -> Node:
        state = "failure" if isinstance(outcome.status, Failure) else "success"
        transaction = self.transactions.get(identity)
        if transaction is not None:
            body = transaction.transaction
            return Node(
                identity, "transaction", body.signer_id, body.receiver_id, body.actions, state, self.heights[identity],
                outcome, (), outcome.receipt_ids,
            )  # fmt: skip
        receipt = self.receipts.get(identity)
        if receipt is None:
            return Node(
                identity, "distribution", SYSTEM, outcome.executor_id, (), state, self.heights[identity], outcome, (),
                outcome.receipt_ids,
            )  # fmt: skip
        return self._of_receipt(receipt, state, height=self.heights[identity], outcome=outcome)

    def _unexecuted(self, identity: bytes) -> Node:
        receipt = self.receipts.get(identity)
        if receipt is not None:
            return self._of_receipt(receipt, self._place(receipt), height=None, outcome=None)
        one = self.yields.get(identity)
        if one is not None and one.status != EXECUTED:
            return _waiting_yield(one)
        return Node(identity, "distribution", SYSTEM, SYSTEM, (), "in flight", None, None, (), ())

    def _place(self, receipt: Receipt) -> str:
        """Where a receipt is that has not executed."""
        world = self.execution.world
        if receipt in world.in_flight:
            return "in flight"
        postponed = keys.postponed_receipt(receipt.receiver_id, receipt.receipt_id)
        return "delayed" if Trie(world.store, world.root).ref(postponed) is None else "waits for results"

    def _of_receipt(
        self, receipt: Receipt, state: str, *, height: int | None, outcome: ExecutionOutcome | None
    ) -> Node:
        body = receipt.body
        if not isinstance(body, ActionReceipt):
            raise TypeError("only receipts with actions are kept")
        waited_for = tuple(self.sources[data_id] for data_id in body.input_data_ids if data_id in self.sources)
        children = () if outcome is None else outcome.receipt_ids
        return Node(
            receipt.receipt_id, _kind(receipt, body), receipt.predecessor_id, receipt.receiver_id, body.actions, state,
            height, outcome, waited_for, children,
        )  # fmt: skip


def _kind(receipt: Receipt, body: ActionReceipt) -> str:
    if receipt.predecessor_id != SYSTEM:
        return "yield" if body.tag in YIELD_TAGS else "receipt"
    return "deposit refund" if body.signer_id == SYSTEM else "gas refund"


def _waiting_yield(one: Yield) -> Node:
    call = actions_.FunctionCall(one.method_name, one.args, one.gas, one.deposit)
    state = "waits for data" if one.status == "pending" else "in flight"
    return Node(one.receipt_id, "yield", one.account_id, one.account_id, (call,), state, None, None, (), ())


def tree_json(tree: Tree) -> list[dict[str, Any]]:
    """The nodes for programs, parents before children, each with its depth."""
    return [{"depth": depth, **_node_json(node)} for depth, node in tree.walk()]


def _node_json(node: Node) -> dict[str, Any]:
    outcome = node.outcome
    value = next_receipt = failure = None
    if outcome is not None:
        status = outcome.status
        value = base64_text(status.value) if isinstance(status, SuccessValue) else None
        next_receipt = base58.encode(status.receipt_id) if isinstance(status, SuccessReceiptId) else None
        failure = status.error if isinstance(status, Failure) else None
    return {
        "id": base58.encode(node.id),
        "kind": node.kind,
        "predecessor_id": node.predecessor_id,
        "receiver_id": node.receiver_id,
        "actions": [action_view(action) for action in node.actions],
        "deposit": str(total_deposit(node.actions)),
        "state": node.state,
        "executed_in": node.height,
        "gas_burnt": None if outcome is None else outcome.gas_burnt,
        "tokens_burnt": None if outcome is None else str(outcome.tokens_burnt),
        "logs": [] if outcome is None else list(outcome.logs),
        "result": value,
        "result_of": next_receipt,
        "failure": failure,
        "waited_for": [base58.encode(identity) for identity in node.waited_for],
    }
