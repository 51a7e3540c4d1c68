"""One account from the answers that a node gave about it.

Balance and storage come from `view_account`, code from `view_code` or from elsewhere, keys from
`view_access_key_list`, data from `view_state`. What they say has to fit together: the code has the hash that the
account names, and the bytes add up to the storage that it is billed for.
"""

from typing import NamedTuple

from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.access_key import AccessKey
from near_tee_cli.primitives.schema.account import (
    Account,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
    identifier_storage_usage,
    new_account,
)
from near_tee_cli.primitives.schema.json_scalars import hash_text
from near_tee_cli.primitives.schema.records import (
    AccessKeyRecord,
    AccountRecord,
    ContractRecord,
    DataRecord,
    StateRecord,
)
from near_tee_cli.sources import genesis_files, rpc
from near_tee_cli.state import keys


class Leniency(NamedTuple):
    """What is taken with a warning instead of being refused."""

    incomplete: bool
    mixed_blocks: bool


class Made(NamedTuple):
    """What answers come to; grows account by account."""

    records: list[StateRecord]
    raw: list[tuple[bytes, bytes]]
    notes: list[str]


class AccountParts:
    """What is known of an account. Each `take_...` raises `BadInputError` when it is said twice and differs."""

    __slots__ = ("account", "account_id", "code", "keys", "keys_complete", "pages")

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.account: Account | None = None
        self.code: bytes | None = None
        self.keys: dict[bytes, AccessKey] = {}
        self.keys_complete = False
        self.pages: list[tuple[str, rpc.Page]] = []

    def take_account(self, account: Account, what: str) -> None:
        """What `view_account` says."""
        if self.account not in (None, account):
            raise self._contradiction(what, "account")
        self.account = account

    def take_code(self, code: bytes, what: str) -> None:
        """What `view_code` says."""
        if self.code not in (None, code):
            raise self._contradiction(what, "code")
        self.code = code

    def take_key(self, handle: bytes, key: AccessKey, what: str) -> None:
        """One access key."""
        if self.keys.get(handle, key) != key or (self.keys_complete and handle not in self.keys):
            raise self._contradiction(what, "access keys")
        self.keys[handle] = key

    def take_all_keys(self, found: dict[bytes, AccessKey], what: str) -> None:
        """All access keys."""
        if any(found.get(handle) != key for handle, key in self.keys.items()) or (
            self.keys_complete and found != self.keys
        ):
            raise self._contradiction(what, "access keys")
        self.keys = dict(found)
        self.keys_complete = True

    def _contradiction(self, what: str, name: str) -> BadInputError:
        return BadInputError(
            f"{what}: the {name} of {self.account_id} is otherwise in another file", code="contradiction"
        )


def records_of_parts(
    parts: AccountParts,
    made: Made,
    *,
    code: bytes | None,
    balance: int | None,
    lenient: Leniency,
    config: RuntimeConfig,
) -> None:
    """Add the records of an account to `made`; `code` and `balance` (yoctoNEAR) are what the line says of it.

    Raises `BadInputError` (`incomplete-account`, `incomplete-state`, `code-hash-mismatch`, `contradiction`).
    """
    name = parts.account_id
    rows, certain = rpc.joined(parts.pages, name)
    account = parts.account
    if account is None:
        account = _stated(parts, made, code=code, balance=balance)
    else:
        account = restated(account, name, balance, made.notes)
    missing: list[str] = []
    records = _code_records(parts, account, made, code=code, missing=missing)
    for handle, key in sorted(parts.keys.items()):
        if key.gas_key is not None:
            missing.append(f"the nonces of the gas key of {name}, which no saved answer holds")
        records.append(AccessKeyRecord(name, handle, key))
    records += [DataRecord(name, key, value) for key, value in rows.items()]
    require_whole(missing, lenient, made.notes)
    if not parts.keys_complete:
        made.notes.append(f"the access keys of {name} are not all given (view_access_key_list)")
    if not parts.pages and account.contract is not None:
        made.notes.append(f"the data of {name} is not given (view_state)")
    counted = genesis_files.storage_usages([AccountRecord(name, account), *records], config=config)[name]
    counted += identifier_storage_usage(account.contract)
    if parts.account is None:
        account = account._replace(storage_usage=counted)
    whole = parts.keys_complete and bool(parts.pages or account.contract is None) and not missing
    if whole and account.storage_usage != counted:
        more = "data or keys are missing" if account.storage_usage > counted else "more is given than is billed"
        made.notes.append(f"{name} is billed for {account.storage_usage} bytes, what is given has {counted}: {more}")
    elif not whole and not certain:
        made.notes.append(f"whether the pages of {name} follow one another without a gap is not certain")
    made.records.extend([AccountRecord(name, account), *records])


def _stated(parts: AccountParts, made: Made, *, code: bytes | None, balance: int | None) -> Account:
    """The account that the line states, in the place of an answer. Raises `BadInputError` when it does not."""
    name = parts.account_id
    if balance is None:
        raise BadInputError(
            f"nothing says what {name} owns: there is no answer of view_account",
            code="incomplete-account",
            hint=f"give its answer too, or state the balance: --account {name}='10 NEAR'",
        )
    made.notes.append(
        f"{name} is made with the balance that the line states; its storage is counted from what is given"
    )
    code = parts.code if code is None else code
    contract = None if code is None else LocalContract(sha256(code))
    return new_account(balance, 0, contract=contract, storage_usage=0)


def _code_records(
    parts: AccountParts, account: Account, made: Made, *, code: bytes | None, missing: list[str]
) -> list[StateRecord]:
    """The row of the account's code; that of a global contract is a raw row, and may be another account's too."""
    name, contract = parts.account_id, account.contract
    if parts.code is not None and code is not None and parts.code != code:
        raise BadInputError(f"the code of {name} is otherwise in another file", code="contradiction")
    code = parts.code if code is None else code
    if contract is None:
        if code is not None:
            raise BadInputError(f"there is code of {name}, and its account has no contract", code="contradiction")
        return []
    expected = None if isinstance(contract, GlobalContractByAccount) else contract.code_hash
    if code is None:
        if isinstance(contract, LocalContract):
            missing.append(f"the code of {name} (view_code), SHA-256 {hash_text(contract.code_hash)}")
        elif not any(key == keys.global_contract_code(contract) for key, _ in made.raw):
            missing.append(f"the global contract that {name} runs (view_code of {name} has it)")
        return []
    if expected is not None and sha256(code) != expected:
        raise BadInputError(
            f"{name} runs the code with SHA-256 {hash_text(expected)}, what is given has {hash_text(sha256(code))}",
            code="code-hash-mismatch",
        )
    if isinstance(contract, LocalContract):
        return [ContractRecord(name, code)]
    row = (keys.global_contract_code(contract), code)
    others = [value for key, value in made.raw if key == row[0]]
    if any(value != code for value in others):
        raise BadInputError(f"the global contract that {name} runs is given in two ways", code="contradiction")
    if not others:
        made.raw.append(row)
        kind = "hash" if isinstance(contract, GlobalContract) else "account"
        made.notes.append(f"the code of {name} is a global contract, kept under its {kind}")
    return []


def restated(account: Account, name: str, balance: int | None, notes: list[str]) -> Account:
    """The account with the balance (yoctoNEAR) that the line states, if it does; that it differs is noted."""
    if balance is None or balance == account.amount:
        return account
    notes.append(f"the balance of {name} is {balance} yoctoNEAR as the line states, not {account.amount}")
    return account._replace(amount=balance)


def require_whole(missing: list[str], lenient: Leniency, notes: list[str]) -> None:
    """Refuse what lacks something, or say it. Raises `BadInputError` (`incomplete-account`)."""
    if missing and not lenient.incomplete:
        raise BadInputError(
            f"missing: {'; '.join(missing)[:500]}",
            code="incomplete-account",
            hint="give the file that has it, a contract with --with, or take it as it is with --allow-incomplete",
        )
    notes.extend(f"missing: {one}" for one in missing)
