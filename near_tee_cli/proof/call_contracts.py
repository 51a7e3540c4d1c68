"""Which contract a call from outside ran: what its outcome says, which executing again proves.

The state before a block does not tell. A contract may be deployed earlier in the same block, or by an action that
stands before the call in the same receipt. For a call that nothing can have come before, the state before counts, too:
it has to agree, and it is all there is where the rules of a version leave the contract out of the outcome. What cannot
be told is no contract at all.
"""

from collections.abc import Collection, Sequence

from near_tee_cli.errors import MissingNodeError
from near_tee_cli.primitives.schema.account import (
    AccountContract,
    GlobalContractByAccount,
    decode_account,
    encode_contract,
)
from near_tee_cli.primitives.schema.outcome import OutcomeWithId
from near_tee_cli.proof.bundle import Content
from near_tee_cli.state import keys
from near_tee_cli.state.trie import Trie

_WITH_CONTRACTS = 4
"""From this version on the metadata of an outcome have the contracts."""


class Contracts:
    """The contracts of calls, by the outcomes of a bundle."""

    __slots__ = ("_first", "_places", "_tries", "_written")

    def __init__(self, content: Content, tries: Sequence[Trie], transactions: Sequence[Collection[bytes]]) -> None:
        """`tries` are the witnesses, `transactions` the hashes of those of each transition."""
        self._tries = tries
        self._places: dict[bytes, list[tuple[int, OutcomeWithId]]] = {}
        self._first: dict[tuple[int, str], bytes] = {}
        """The first receipt that each transition executed on an account."""
        self._written = [{key for key, _ in transition.changes} for transition in content.transitions]
        for position, transition in enumerate(content.transitions):
            for entry in transition.outcomes:
                self._places.setdefault(entry.id, []).append((position, entry))
                if entry.id not in transactions[position]:
                    self._first.setdefault((position, entry.outcome.executor_id), entry.id)

    def of_call(self, receipt_id: bytes | None, action: int, account_id: str, *, behind_calls: bool) -> bytes | None:
        """The hash of the contract that an action of a receipt called, `None` for none and where nothing tells.

        `behind_calls` says whether all actions before it in the receipt are calls, too. Raises `MissingNodeError` when
        the witness lacks the account.
        """
        places = [] if receipt_id is None else self._places.get(receipt_id, [])
        if len(places) != 1:
            return None
        position, entry = places[0]
        metadata = entry.outcome.metadata
        told = metadata.contracts[action : action + 1] if metadata.version >= _WITH_CONTRACTS else None
        if behind_calls and self._first.get((position, account_id)) == receipt_id:
            before = (_contract_before(self._tries[position], account_id),)
            if told is not None and list(map(encode_contract, told)) != list(map(encode_contract, before)):
                return None
            told = before
        return self._hash_of(told[0], position) if told else None

    def _hash_of(self, contract: AccountContract, position: int) -> bytes | None:
        if not isinstance(contract, GlobalContractByAccount):
            return None if contract is None else contract.code_hash
        row = keys.global_contract_code(contract)
        if row in self._written[position]:
            return None
        try:
            code = self._tries[position].ref(row)
        except MissingNodeError:
            # A call that fails before it looks the contract up.
            return None
        return None if code is None else code.hash


def _contract_before(trie: Trie, account_id: str) -> AccountContract:
    row = trie.get(keys.account(account_id))
    return None if row is None else decode_account(row).contract
