"""Accounts, access keys and global contracts in the plain JSON of genesis files, both ways and without loss.

Mirrors nearcore: core/primitives-core/src/account.rs
"""

from typing import Any

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives.canonical_json import array, base64, base64_text, integer, mapping, members, shown, string
from near_tee_cli.primitives.integers import U16_MAX
from near_tee_cli.primitives.schema.access_key import AccessKey, FunctionCallPermission, GasKeyInfo
from near_tee_cli.primitives.schema.account import (
    Account,
    AccountContract,
    GlobalContract,
    GlobalContractByAccount,
    LocalContract,
)
from near_tee_cli.primitives.schema.global_contract import GlobalContractIdentifier, StateInit, state_init
from near_tee_cli.primitives.schema.json_scalars import (
    hash_text,
    read_account_id,
    read_balance,
    read_hash,
    read_optional_balance,
)
from near_tee_cli.primitives.schema.wire import NO_HASH

_ACCOUNT_FIELDS = ("amount", "locked", "code_hash", "storage_usage")
_ACCOUNT_OPTIONAL = ("version", "global_contract_hash", "global_contract_account_id", "storage_paid_at")


def tagged(value: object, where: str) -> tuple[str, object]:
    """The name and content of an object with one member."""
    if not isinstance(value, dict) or len(value) != 1:
        problem = f"{where} is {shown(value)}, expected an object with one member"
        raise BadInputError(problem, code="bad-field", where=where)
    ((name, content),) = value.items()
    return name, content


def read_account(value: object) -> Account:
    """An account; of local code, global hash and global account it has at most one.

    Stricter than nearcore in one point: a global contract needs version V2 (nearcore would drop it silently).
    """
    fields = members(value, "account", required=_ACCOUNT_FIELDS, optional=_ACCOUNT_OPTIONAL)
    code_hash = read_hash(fields["code_hash"], "code_hash")
    global_hash = fields.get("global_contract_hash")
    global_account = fields.get("global_contract_account_id")
    if (code_hash != NO_HASH) + (global_hash is not None) + (global_account is not None) > 1:
        raise BadInputError("an account has at most one of local and global contracts", code="bad-field")
    version = fields.get("version", "V1")
    if version not in ("V1", "V2"):
        raise BadInputError(f"version is {shown(version)}, expected V1 or V2", code="bad-field", where="version")
    contract: AccountContract = None if code_hash == NO_HASH else LocalContract(code_hash)
    if global_hash is not None:
        contract = GlobalContract(read_hash(global_hash, "global_contract_hash"))
    elif global_account is not None:
        contract = GlobalContractByAccount(read_account_id(global_account, "global_contract_account_id"))
    if version == "V1" and not isinstance(contract, LocalContract | None):
        raise BadInputError("an account of version V1 has no global contract", code="bad-field", where="version")
    amount = read_balance(fields["amount"], "amount")
    locked = read_balance(fields["locked"], "locked")
    storage_usage = integer(fields["storage_usage"], "storage_usage")
    return Account(amount, locked, contract, storage_usage, 1 if version == "V1" else 2)


def account_json(account: Account) -> dict[str, Any]:
    """An account with all its fields."""
    contract = account.contract
    result: dict[str, Any] = {
        "amount": str(account.amount),
        "locked": str(account.locked),
        "code_hash": hash_text(contract.code_hash if isinstance(contract, LocalContract) else NO_HASH),
        "storage_usage": account.storage_usage,
        "version": f"V{account.version}",
    }
    if isinstance(contract, GlobalContract):
        result["global_contract_hash"] = hash_text(contract.code_hash)
    elif isinstance(contract, GlobalContractByAccount):
        result["global_contract_account_id"] = contract.account_id
    return result


def read_access_key(value: object) -> AccessKey:
    """An access key: nonce and permission."""
    fields = members(value, "access_key", required=("nonce", "permission"))
    nonce = integer(fields["nonce"], "nonce")
    permission = fields["permission"]
    if permission == "FullAccess":
        return AccessKey(nonce, None, None)
    name, content = tagged(permission, "permission")
    if name == "FunctionCall":
        return AccessKey(nonce, _read_function_call_permission(content), None)
    if name == "GasKeyFullAccess":
        return AccessKey(nonce, None, _read_gas_key_info(content))
    if name == "GasKeyFunctionCall":
        parts = array(content, name)
        if len(parts) != 2:
            raise BadInputError(f"{name} has {len(parts)} items, expected 2", code="bad-field", where="permission")
        return AccessKey(nonce, _read_function_call_permission(parts[1]), _read_gas_key_info(parts[0]))
    raise BadInputError(f"unknown permission {shown(name)}", code="bad-field", where="permission")


def access_key_json(key: AccessKey) -> dict[str, Any]:
    """An access key in the plain form."""
    nonce, function_call, gas_key = key
    if function_call is None:
        full = "FullAccess" if gas_key is None else {"GasKeyFullAccess": gas_key_info_json(gas_key)}
        return {"nonce": nonce, "permission": full}
    content = function_call_permission_json(function_call)
    if gas_key is None:
        return {"nonce": nonce, "permission": {"FunctionCall": content}}
    return {"nonce": nonce, "permission": {"GasKeyFunctionCall": [gas_key_info_json(gas_key), content]}}


def function_call_permission_json(permission: FunctionCallPermission) -> dict[str, Any]:
    """What a key may call."""
    return {
        "allowance": None if permission.allowance is None else str(permission.allowance),
        "receiver_id": permission.receiver_id,
        "method_names": list(permission.method_names),
    }


def gas_key_info_json(info: GasKeyInfo) -> dict[str, Any]:
    """Balance and number of nonces of a gas key."""
    return {"balance": str(info.balance), "num_nonces": info.num_nonces}


def _read_function_call_permission(value: object) -> FunctionCallPermission:
    fields = members(value, "FunctionCall", required=("receiver_id", "method_names"), optional=("allowance",))
    names = tuple(string(name, "method_names") for name in array(fields["method_names"], "method_names"))
    allowance = read_optional_balance(fields.get("allowance"), "allowance")
    return FunctionCallPermission(allowance, string(fields["receiver_id"], "receiver_id"), names)


def _read_gas_key_info(value: object) -> GasKeyInfo:
    fields = members(value, "gas key", required=("balance", "num_nonces"))
    num_nonces = integer(fields["num_nonces"], "num_nonces", bound=U16_MAX)
    return GasKeyInfo(read_balance(fields["balance"], "balance"), num_nonces)


def read_identifier(value: object, where: str) -> GlobalContractIdentifier:
    """`{"hash": ...}` or `{"account_id": ...}`."""
    name, content = tagged(value, where)
    if name == "hash":
        return GlobalContract(read_hash(content, name))
    if name == "account_id":
        return GlobalContractByAccount(read_account_id(content, name))
    raise BadInputError(f"{where} has {shown(name)}, expected hash or account_id", code="bad-field", where=where)


def identifier_json(identifier: GlobalContractIdentifier) -> dict[str, Any]:
    """A global contract identifier."""
    if isinstance(identifier, GlobalContract):
        return {"hash": hash_text(identifier.code_hash)}
    return {"account_id": identifier.account_id}


def read_state_init(value: object) -> StateInit:
    """`{"V1": {"code": ..., "data": ...}}`."""
    version, content = tagged(value, "state_init")
    if version != "V1":
        raise BadInputError(f"unknown version {shown(version)}", code="bad-field", where="state_init")
    fields = members(content, "state_init", required=("code", "data"))
    rows = mapping(fields["data"], "data").items()
    code = read_identifier(fields["code"], "code")
    return state_init(code, ((base64(key, "data"), base64(row, "data")) for key, row in rows))


def state_init_data_json(init: StateInit) -> dict[str, str]:
    """The rows of a state init."""
    return {base64_text(key): base64_text(row) for key, row in init.data}
