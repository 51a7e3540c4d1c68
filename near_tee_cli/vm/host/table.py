"""Every host function of the implemented versions, once: name, type, version flag, and what it does.

A contract imports these from `env`. What a version lacks is not merely forbidden there, it cannot be linked. The
entries say what a function is, not who serves it: linking them to the engine is `near_tee_cli.vm.host.link`.

Mirrors nearcore: runtime/near-vm-runner/src/imports.rs
"""

from typing import NamedTuple

from near_tee_cli.params.config import VMConfig
from near_tee_cli.vm.host import (
    actions,
    alt_bn128,
    bls12_381,
    context,
    economics,
    hashing,
    instructions,
    keys,
    logs,
    promises,
    registers,
    results,
    signatures,
    storage,
    yields,
)
from near_tee_cli.vm.logic import Constant, HostBody


class Entry(NamedTuple):
    """One host function. Types are letters: `q` for i64, `d` for i32."""

    name: str
    params: str
    result: str
    """Empty without a result."""
    body: HostBody | Constant
    """What it does, or the constant of the call that it returns."""
    pays_base: bool
    """Whether the first thing it does is to pay the base charge."""
    refused_as: str | None
    """The name under which a view is refused it, right after the base charge; `None` if views may call it or if
    the body refuses them itself, later."""
    flag: str | None
    """The field of `VMConfig` that switches it on; `None` if every version has it."""

    def enabled(self, config: VMConfig) -> bool:
        """Whether a contract may import it."""
        return self.flag is None or bool(getattr(config, self.flag))


def _free(name: str, params: str, result: str, body: HostBody, *, flag: str | None = None) -> Entry:
    """A function that pays no base charge."""
    return Entry(name, params, result, body, pays_base=False, refused_as=None, flag=flag)


def _any(name: str, params: str, result: str, body: HostBody | Constant, *, flag: str | None = None) -> Entry:
    """A function that views may call too."""
    return Entry(name, params, result, body, pays_base=True, refused_as=None, flag=flag)


def _call(
    name: str,
    params: str,
    result: str,
    body: HostBody | Constant,
    *,
    refused_as: str | None = None,
    flag: str | None = None,
) -> Entry:
    """A function that views may not call."""
    return Entry(name, params, result, body, pays_base=True, refused_as=refused_as or name, flag=flag)


_GLOBAL_CONTRACTS = "global_contract_host_fns"
_GAS_KEYS = "gas_key_host_fns"
_YIELD_IDS = "yield_with_id_host_fns"
_FUNCTION_CALL = "promise_batch_action_function_call"

TABLE: tuple[Entry, ...] = (
    # Registers
    _any("read_register", "qq", "", registers.read_register),
    _any("register_len", "q", "q", registers.register_len),
    _any("write_register", "qqq", "", registers.write_register),
    # Context
    _any("current_account_id", "q", "", context.current_account_id),
    _any("chain_id", "q", "", context.chain_id, flag="chain_id_host_fn"),
    _call("signer_account_id", "q", "", context.signer_account_id),
    _call("signer_account_pk", "q", "", context.signer_account_pk),
    _call("predecessor_account_id", "q", "", context.predecessor_account_id),
    _call("refund_to_account_id", "q", "", context.refund_to_account_id),
    _any("input", "q", "", context.input_),
    _any("block_index", "", "q", Constant.BLOCK_HEIGHT),
    _any("block_timestamp", "", "q", Constant.BLOCK_TIMESTAMP),
    _any("epoch_height", "", "q", Constant.EPOCH_HEIGHT),
    _any("storage_usage", "", "q", context.storage_usage),
    _any("random_seed", "q", "", context.random_seed),
    _any("current_contract_code", "q", "q", context.current_contract_code),
    _any("validator_stake", "qqq", "", context.validator_stake),
    _any("validator_total_stake", "q", "", context.validator_total_stake),
    # Economics
    _any("account_balance", "q", "", economics.account_balance),
    _any("account_locked_balance", "q", "", economics.account_locked_balance),
    _any("attached_deposit", "q", "", economics.attached_deposit),
    _call("prepaid_gas", "", "q", Constant.PREPAID_GAS),
    _call("used_gas", "", "q", economics.used_gas),
    # Hashes and signatures
    _free("sha256", "qqq", "", hashing.sha256),
    _free("keccak256", "qqq", "", hashing.keccak256),
    _free("keccak512", "qqq", "", hashing.keccak512),
    _free("ripemd160", "qqq", "", hashing.ripemd160),
    _free("ecrecover", "qqqqqqq", "q", signatures.ecrecover),
    _free("ed25519_verify", "qqqqqq", "q", signatures.ed25519_verify),
    _free("p256_verify", "qqqqqq", "q", signatures.p256_verify, flag="p256_verify_host_fn"),
    # Curves
    _free("alt_bn128_g1_multiexp", "qqq", "", alt_bn128.alt_bn128_g1_multiexp),
    _free("alt_bn128_g1_sum", "qqq", "", alt_bn128.alt_bn128_g1_sum),
    _free("alt_bn128_pairing_check", "qq", "q", alt_bn128.alt_bn128_pairing_check),
    _free("bls12381_p1_sum", "qqq", "q", bls12_381.bls12381_p1_sum),
    _free("bls12381_p2_sum", "qqq", "q", bls12_381.bls12381_p2_sum),
    _free("bls12381_g1_multiexp", "qqq", "q", bls12_381.bls12381_g1_multiexp),
    _free("bls12381_g2_multiexp", "qqq", "q", bls12_381.bls12381_g2_multiexp),
    _free("bls12381_map_fp_to_g1", "qqq", "q", bls12_381.bls12381_map_fp_to_g1),
    _free("bls12381_map_fp2_to_g2", "qqq", "q", bls12_381.bls12381_map_fp2_to_g2),
    _free("bls12381_p1_decompress", "qqq", "q", bls12_381.bls12381_p1_decompress),
    _free("bls12381_p2_decompress", "qqq", "q", bls12_381.bls12381_p2_decompress),
    _free("bls12381_pairing_check", "qq", "q", bls12_381.bls12381_pairing_check),
    # Results, logs, panics
    _any("value_return", "qq", "", results.value_return),
    _any("panic", "", "", logs.panic),
    _any("panic_utf8", "qq", "", logs.panic_utf8),
    _any("log_utf8", "qq", "", logs.log_utf8),
    _any("log_utf16", "qq", "", logs.log_utf16),
    _any("abort", "dddd", "", logs.abort),
    # Promises
    _call("promise_create", "qqqqqqqq", "q", promises.promise_create, refused_as="promise_batch_create"),
    _call("promise_then", "qqqqqqqqq", "q", promises.promise_then, refused_as="promise_batch_then"),
    _call("promise_and", "qq", "q", promises.promise_and),
    _call("promise_batch_create", "qq", "q", promises.promise_batch_create),
    _call("promise_batch_then", "qqq", "q", promises.promise_batch_then),
    _call("promise_set_refund_to", "qqq", "", promises.promise_set_refund_to),
    _call("promise_results_count", "", "q", Constant.PROMISE_RESULTS),
    _call("promise_result", "qq", "q", results.promise_result),
    _any("promise_return", "q", "", results.promise_return),
    # Actions
    _call("promise_batch_action_create_account", "q", "", actions.promise_batch_action_create_account),
    _call("promise_batch_action_deploy_contract", "qqq", "", actions.promise_batch_action_deploy_contract),
    _call(
        "promise_batch_action_deploy_global_contract",
        "qqq",
        "",
        actions.promise_batch_action_deploy_global_contract,
        flag=_GLOBAL_CONTRACTS,
    ),
    _call(
        "promise_batch_action_deploy_global_contract_by_account_id",
        "qqq",
        "",
        actions.promise_batch_action_deploy_global_contract_by_account_id,
        flag=_GLOBAL_CONTRACTS,
    ),
    _call(
        "promise_batch_action_use_global_contract",
        "qqq",
        "",
        actions.promise_batch_action_use_global_contract,
        flag=_GLOBAL_CONTRACTS,
    ),
    _call(
        "promise_batch_action_use_global_contract_by_account_id",
        "qqq",
        "",
        actions.promise_batch_action_use_global_contract_by_account_id,
        flag=_GLOBAL_CONTRACTS,
    ),
    _call("promise_batch_action_state_init", "qqqq", "q", actions.promise_batch_action_state_init),
    _call(
        "promise_batch_action_state_init_by_account_id",
        "qqqq",
        "q",
        actions.promise_batch_action_state_init_by_account_id,
    ),
    _call("set_state_init_data_entry", "qqqqqq", "", actions.set_state_init_data_entry),
    _call(_FUNCTION_CALL, "qqqqqqq", "", actions.promise_batch_action_function_call),
    _call(
        "promise_batch_action_function_call_weight",
        "qqqqqqqq",
        "",
        actions.promise_batch_action_function_call_weight,
        refused_as=_FUNCTION_CALL,
    ),
    _call("promise_batch_action_transfer", "qq", "", actions.promise_batch_action_transfer),
    _call("promise_batch_action_stake", "qqqq", "", actions.promise_batch_action_stake),
    _call("promise_batch_action_delete_account", "qqq", "", actions.promise_batch_action_delete_account),
    _call(
        "promise_batch_action_add_key_with_full_access", "qqqq", "", keys.promise_batch_action_add_key_with_full_access
    ),
    _call(
        "promise_batch_action_add_key_with_function_call",
        "qqqqqqqqq",
        "",
        keys.promise_batch_action_add_key_with_function_call,
    ),
    _call("promise_batch_action_delete_key", "qqq", "", keys.promise_batch_action_delete_key),
    _call(
        "promise_batch_action_transfer_to_gas_key",
        "qqqq",
        "",
        keys.promise_batch_action_transfer_to_gas_key,
        flag=_GAS_KEYS,
    ),
    _call(
        "promise_batch_action_add_gas_key_with_full_access",
        "qqqq",
        "",
        keys.promise_batch_action_add_gas_key_with_full_access,
        flag=_GAS_KEYS,
    ),
    _call(
        "promise_batch_action_add_gas_key_with_function_call",
        "qqqqqqqqq",
        "",
        keys.promise_batch_action_add_gas_key_with_function_call,
        flag=_GAS_KEYS,
    ),
    # Yields
    _call("promise_yield_create", "qqqqqqq", "q", yields.promise_yield_create),
    _call("promise_yield_create_with_id", "qqqqqqqqq", "q", yields.promise_yield_create_with_id, flag=_YIELD_IDS),
    _call("promise_yield_resume", "qqqq", "d", yields.promise_yield_resume),
    _call(
        "promise_yield_resume_with_yield_id", "qqqq", "d", yields.promise_yield_resume_with_yield_id, flag=_YIELD_IDS
    ),
    # Storage
    _call("storage_write", "qqqqq", "q", storage.storage_write),
    _any("storage_read", "qqq", "q", storage.storage_read),
    _call("storage_remove", "qqq", "q", storage.storage_remove),
    _any("storage_has_key", "qq", "q", storage.storage_has_key),
    _free("storage_iter_prefix", "qq", "q", storage.storage_iter_prefix),
    _free("storage_iter_range", "qqqq", "q", storage.storage_iter_range),
    _free("storage_iter_next", "qqq", "q", storage.storage_iter_next),
    # Instructions
    _free("gas", "d", "", instructions.gas),
)
"""All host functions; names are unique."""


def enabled(config: VMConfig) -> tuple[Entry, ...]:
    """The host functions that contracts may import under `config`."""
    return tuple(entry for entry in TABLE if entry.enabled(config))
