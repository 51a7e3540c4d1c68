"""A state changed by hand: accounts, keys, code and data, as if their owners had been there.

Everything goes through one place that keeps `storage_usage` as a chain would count it, so that a contract in an
edited world pays and earns what it would on chain. What cannot be, such as data of an account that is not there,
is refused. Nothing here is part of a transition.

Mirrors nearcore: runtime/runtime/src/actions.rs, core/store/src/genesis/state_applier.rs (what counts as storage)
"""

import struct

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.account_id import SYSTEM
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.integers import U128_MAX, saturating_sub
from near_tee_cli.primitives.schema.access_key import AccessKey, decode_access_key, encode_access_key
from near_tee_cli.primitives.schema.account import Account, LocalContract, encode_account, new_account
from near_tee_cli.runtime import rows
from near_tee_cli.runtime.actions.contracts import storage_without_contract
from near_tee_cli.state import keys
from near_tee_cli.state.overlay import Changes, Overlay
from near_tee_cli.state.trie import Trie

_NONCE_LENGTH = 8


class Editor:
    """The edits of a state: read through `state`, made by the methods, and put into effect by `finish`.

    Every method that names an account raises `BadInputError` (`unknown-account`) when there is none, unless it
    makes one.
    """

    __slots__ = ("config", "state")

    def __init__(self, config: RuntimeConfig, trie: Trie) -> None:
        self.config = config
        self.state = Overlay(trie)

    def account(self, account_id: str) -> Account | None:
        """The account as it stands, `None` when there is none."""
        return rows.account(self.state, account_id)

    def existing(self, account_id: str) -> Account:
        """The account as it stands."""
        account = self.account(account_id)
        if account is None:
            raise BadInputError(f"there is no account {account_id} in this state", code="unknown-account")
        return account

    def make_account(self, account_id: str, *, amount: int, locked: int) -> Account:
        """A new account with balances in yoctoNEAR, charged for its own row. Raises `BadInputError`."""
        if account_id == SYSTEM:
            raise BadInputError(f"{SYSTEM} is the chain itself, never an account", code="bad-account")
        if self.account(account_id) is not None:
            raise BadInputError(f"there is an account {account_id} already", code="account-exists")
        usage = self.config.storage_num_bytes_account
        account = new_account(amount, locked, contract=None, storage_usage=usage)
        self.set_account(account_id, account)
        return account

    def set_account(self, account_id: str, account: Account) -> None:
        """Write an account as given; where it says what is stored already, nothing is changed."""
        if self.account(account_id) == account:
            return
        if account.amount + account.locked > U128_MAX:
            raise BadInputError(f"the balances of {account_id} exceed 128 bits", code="out-of-range")
        try:
            self.state.set(keys.account(account_id), encode_account(account))
        except struct.error as error:
            raise BadInputError(f"balance or storage of {account_id} is out of range", code="out-of-range") from error

    def set_code(self, account_id: str, code: bytes) -> bool:
        """Give the account code of its own in the place of any other contract; whether that changes anything."""
        account = self.existing(account_id)
        contract = LocalContract(sha256(code))
        if account.contract == contract and self.state.contains(keys.contract_code(account_id)):
            return False
        usage = storage_without_contract(self.state, account_id, account=account) + len(code)
        self.state.set(keys.contract_code(account_id), code)
        self.set_account(account_id, account.with_contract(contract)._replace(storage_usage=usage))
        return True

    def remove_code(self, account_id: str) -> None:
        """Leave the account without a contract. Raises `BadInputError` when it has none."""
        account = self.existing(account_id)
        if account.contract is None:
            raise BadInputError(f"{account_id} has no contract", code="unknown-row")
        usage = storage_without_contract(self.state, account_id, account=account)
        self.state.remove(keys.contract_code(account_id))
        self.set_account(account_id, account.with_contract(None)._replace(storage_usage=usage))

    def set_key(self, account_id: str, handle: bytes, *, access_key: AccessKey) -> None:
        """Give the account an access key, or change the one that it has under `handle`; not a gas key."""
        before = self._key(account_id, handle)
        if access_key.gas_key is not None or (before is not None and before.gas_key is not None):
            raise BadInputError("a gas key has nonces of its own and is not set by hand", code="gas-key")
        stored, encoded = keys.access_key(account_id, handle), encode_access_key(access_key)
        added = len(encoded) + self.config.storage_num_extra_bytes_record + len(handle)
        self._charge(account_id, added - (0 if before is None else self._key_usage(handle, before)))
        self.state.set(stored, encoded)

    def remove_key(self, account_id: str, handle: bytes) -> None:
        """Take an access key from the account, a gas key with all of its nonces. Raises `BadInputError`."""
        before = self._key(account_id, handle)
        if before is None:
            raise BadInputError(f"{account_id} has no such access key", code="unknown-row")
        stored = keys.access_key(account_id, handle)
        for key in list(self.state.iter_prefix(stored)):
            self.state.remove(key)
        self._charge(account_id, -self._key_usage(handle, before))

    def set_data(self, account_id: str, data_key: bytes, value: bytes) -> None:
        """Write a row of contract data. Raises `BadInputError` (`out-of-range`) for what no contract could write."""
        self.existing(account_id)
        limits = self.config.vm
        if len(data_key) > limits.max_length_storage_key or len(value) > limits.max_length_storage_value:
            told = f"{len(data_key)} bytes of key and {len(value)} of value are more than a contract may store"
            raise BadInputError(told, code="out-of-range")
        row = keys.contract_data(account_id, data_key)
        before = self.state.ref(row)
        self._charge(account_id, self._data_usage(data_key, len(value)))
        if before is not None:
            self._charge(account_id, -self._data_usage(data_key, before.length))
        self.state.set(row, value)

    def remove_data(self, account_id: str, data_key: bytes) -> None:
        """Remove a row of contract data. Raises `BadInputError` (`unknown-row`) when there is none."""
        self.existing(account_id)
        row = keys.contract_data(account_id, data_key)
        before = self.state.ref(row)
        if before is None:
            raise BadInputError(f"{account_id} has no data under that key", code="unknown-row")
        self.state.remove(row)
        self._charge(account_id, -self._data_usage(data_key, before.length))

    def remove_account(self, account_id: str) -> int:
        """Remove an account with its code, keys and data, as deleting it on chain would; how many rows that were."""
        self.existing(account_id)
        gone = [keys.account(account_id), keys.contract_code(account_id)]
        gone = [key for key in gone if self.state.contains(key)]
        gone += self.state.iter_prefix(keys.access_keys_prefix(account_id))
        gone += self.state.iter_prefix(keys.contract_data_prefix(account_id))
        for key in gone:
            self.state.remove(key)
        return len(gone)

    def finish(self) -> Changes:
        """The edits together, and the root that they lead to."""
        self.state.commit()
        return self.state.finalize()

    def _key(self, account_id: str, handle: bytes) -> AccessKey | None:
        self.existing(account_id)
        key = keys.access_key(account_id, handle)
        data = self.state.get(key)
        return None if data is None else rows.decoded(decode_access_key, data, key=key)

    def _key_usage(self, handle: bytes, access_key: AccessKey) -> int:
        """Bytes that a key is billed for, the nonces of a gas key included."""
        extra = self.config.storage_num_extra_bytes_record
        usage = extra + len(handle) + len(encode_access_key(access_key))
        if access_key.gas_key is not None:
            usage += access_key.gas_key.num_nonces * (extra + len(handle) + 2 + _NONCE_LENGTH)
        return usage

    def _data_usage(self, data_key: bytes, length: int) -> int:
        return self.config.storage_num_extra_bytes_record + len(data_key) + length

    def _charge(self, account_id: str, difference: int) -> None:
        account = self.existing(account_id)
        usage = saturating_sub(account.storage_usage, -difference)
        self.set_account(account_id, account._replace(storage_usage=usage))
