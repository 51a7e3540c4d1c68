"""Identifiers of everything that costs gas.

The numbers are protocol: they order the profile that is stored with an outcome.

Mirrors nearcore: core/parameters/src/cost.rs
"""

from enum import IntEnum
from typing import NamedTuple


class Cost(NamedTuple):
    """A price in `gas`, and in `compute`, which only counts against the chunk's compute limit."""

    gas: int
    compute: int


class Fee(NamedTuple):
    """The price of an action: sending it (to oneself or to another) and executing it."""

    send_sir: Cost
    send_not_sir: Cost
    execution: Cost

    def send(self, *, sir: bool) -> Cost:
        """The sending part; `sir` says that the sender is the receiver."""
        return self.send_sir if sir else self.send_not_sir


class ExtCost(IntEnum):
    """What the host charges a contract for; the parameter is `wasm_` and the name in lower case."""

    BASE = 0
    CONTRACT_LOADING_BASE = 1
    CONTRACT_LOADING_BYTES = 2
    READ_MEMORY_BASE = 3
    READ_MEMORY_BYTE = 4
    WRITE_MEMORY_BASE = 5
    WRITE_MEMORY_BYTE = 6
    READ_REGISTER_BASE = 7
    READ_REGISTER_BYTE = 8
    WRITE_REGISTER_BASE = 9
    WRITE_REGISTER_BYTE = 10
    UTF8_DECODING_BASE = 11
    UTF8_DECODING_BYTE = 12
    UTF16_DECODING_BASE = 13
    UTF16_DECODING_BYTE = 14
    SHA256_BASE = 15
    SHA256_BYTE = 16
    KECCAK256_BASE = 17
    KECCAK256_BYTE = 18
    KECCAK512_BASE = 19
    KECCAK512_BYTE = 20
    RIPEMD160_BASE = 21
    RIPEMD160_BLOCK = 22
    ECRECOVER_BASE = 23
    LOG_BASE = 24
    LOG_BYTE = 25
    STORAGE_WRITE_BASE = 26
    STORAGE_WRITE_KEY_BYTE = 27
    STORAGE_WRITE_VALUE_BYTE = 28
    STORAGE_WRITE_EVICTED_BYTE = 29
    STORAGE_READ_BASE = 30
    STORAGE_READ_KEY_BYTE = 31
    STORAGE_READ_VALUE_BYTE = 32
    STORAGE_REMOVE_BASE = 33
    STORAGE_REMOVE_KEY_BYTE = 34
    STORAGE_REMOVE_RET_VALUE_BYTE = 35
    STORAGE_HAS_KEY_BASE = 36
    STORAGE_HAS_KEY_BYTE = 37
    STORAGE_ITER_CREATE_PREFIX_BASE = 38
    STORAGE_ITER_CREATE_PREFIX_BYTE = 39
    STORAGE_ITER_CREATE_RANGE_BASE = 40
    STORAGE_ITER_CREATE_FROM_BYTE = 41
    STORAGE_ITER_CREATE_TO_BYTE = 42
    STORAGE_ITER_NEXT_BASE = 43
    STORAGE_ITER_NEXT_KEY_BYTE = 44
    STORAGE_ITER_NEXT_VALUE_BYTE = 45
    TOUCHING_TRIE_NODE = 46
    READ_CACHED_TRIE_NODE = 47
    PROMISE_AND_BASE = 48
    PROMISE_AND_PER_PROMISE = 49
    PROMISE_RETURN = 50
    VALIDATOR_STAKE_BASE = 51
    VALIDATOR_TOTAL_STAKE_BASE = 52
    ALT_BN128_G1_MULTIEXP_BASE = 53
    ALT_BN128_G1_MULTIEXP_ELEMENT = 54
    ALT_BN128_PAIRING_CHECK_BASE = 55
    ALT_BN128_PAIRING_CHECK_ELEMENT = 56
    ALT_BN128_G1_SUM_BASE = 57
    ALT_BN128_G1_SUM_ELEMENT = 58
    ED25519_VERIFY_BASE = 59
    ED25519_VERIFY_BYTE = 60
    YIELD_CREATE_BASE = 61
    YIELD_CREATE_BYTE = 62
    YIELD_RESUME_BASE = 63
    YIELD_RESUME_BYTE = 64
    BLS12381_P1_SUM_BASE = 65
    BLS12381_P1_SUM_ELEMENT = 66
    BLS12381_P2_SUM_BASE = 67
    BLS12381_P2_SUM_ELEMENT = 68
    BLS12381_G1_MULTIEXP_BASE = 69
    BLS12381_G1_MULTIEXP_ELEMENT = 70
    BLS12381_G2_MULTIEXP_BASE = 71
    BLS12381_G2_MULTIEXP_ELEMENT = 72
    BLS12381_MAP_FP_TO_G1_BASE = 73
    BLS12381_MAP_FP_TO_G1_ELEMENT = 74
    BLS12381_MAP_FP2_TO_G2_BASE = 75
    BLS12381_MAP_FP2_TO_G2_ELEMENT = 76
    BLS12381_PAIRING_BASE = 77
    BLS12381_PAIRING_ELEMENT = 78
    BLS12381_P1_DECOMPRESS_BASE = 79
    BLS12381_P1_DECOMPRESS_ELEMENT = 80
    BLS12381_P2_DECOMPRESS_BASE = 81
    BLS12381_P2_DECOMPRESS_ELEMENT = 82
    STORAGE_LARGE_READ_OVERHEAD_BASE = 83
    STORAGE_LARGE_READ_OVERHEAD_BYTE = 84
    P256_VERIFY_BASE = 85
    P256_VERIFY_BYTE = 86
    YIELD_CREATE_WITH_ID_BASE = 87


class ActionCost(IntEnum):
    """What sending and executing actions and receipts costs."""

    CREATE_ACCOUNT = 0
    DELETE_ACCOUNT = 1
    DEPLOY_CONTRACT_BASE = 2
    DEPLOY_CONTRACT_BYTE = 3
    FUNCTION_CALL_BASE = 4
    FUNCTION_CALL_BYTE = 5
    TRANSFER = 6
    STAKE = 7
    ADD_FULL_ACCESS_KEY = 8
    ADD_FUNCTION_CALL_KEY_BASE = 9
    ADD_FUNCTION_CALL_KEY_BYTE = 10
    DELETE_KEY = 11
    NEW_ACTION_RECEIPT = 12
    NEW_DATA_RECEIPT_BASE = 13
    NEW_DATA_RECEIPT_BYTE = 14
    DELEGATE = 15
    DEPLOY_GLOBAL_CONTRACT_BASE = 16
    DEPLOY_GLOBAL_CONTRACT_BYTE = 17
    USE_GLOBAL_CONTRACT_BASE = 18
    USE_GLOBAL_CONTRACT_BYTE = 19
    DETERMINISTIC_STATE_INIT_BASE = 20
    DETERMINISTIC_STATE_INIT_BYTE = 21
    DETERMINISTIC_STATE_INIT_ENTRY = 22
    GAS_KEY_TRANSFER_BASE = 23
    GAS_KEY_BYTE = 24
    GAS_KEY_NONCE_WRITE_BASE = 25


ACTION_PARAMETERS: dict[ActionCost, str] = {
    ActionCost.CREATE_ACCOUNT: "action_create_account",
    ActionCost.DELETE_ACCOUNT: "action_delete_account",
    ActionCost.DEPLOY_CONTRACT_BASE: "action_deploy_contract",
    ActionCost.DEPLOY_CONTRACT_BYTE: "action_deploy_contract_per_byte",
    ActionCost.FUNCTION_CALL_BASE: "action_function_call",
    ActionCost.FUNCTION_CALL_BYTE: "action_function_call_per_byte",
    ActionCost.TRANSFER: "action_transfer",
    ActionCost.STAKE: "action_stake",
    ActionCost.ADD_FULL_ACCESS_KEY: "action_add_full_access_key",
    ActionCost.ADD_FUNCTION_CALL_KEY_BASE: "action_add_function_call_key",
    ActionCost.ADD_FUNCTION_CALL_KEY_BYTE: "action_add_function_call_key_per_byte",
    ActionCost.DELETE_KEY: "action_delete_key",
    ActionCost.NEW_ACTION_RECEIPT: "action_receipt_creation",
    ActionCost.NEW_DATA_RECEIPT_BASE: "data_receipt_creation_base",
    ActionCost.NEW_DATA_RECEIPT_BYTE: "data_receipt_creation_per_byte",
    ActionCost.DELEGATE: "action_delegate",
    ActionCost.DEPLOY_GLOBAL_CONTRACT_BASE: "action_deploy_global_contract",
    ActionCost.DEPLOY_GLOBAL_CONTRACT_BYTE: "action_deploy_global_contract_per_byte",
    ActionCost.USE_GLOBAL_CONTRACT_BASE: "action_use_global_contract",
    ActionCost.USE_GLOBAL_CONTRACT_BYTE: "action_use_global_contract_per_identifier_byte",
    ActionCost.DETERMINISTIC_STATE_INIT_BASE: "action_deterministic_state_init",
    ActionCost.DETERMINISTIC_STATE_INIT_BYTE: "action_deterministic_state_init_per_byte",
    ActionCost.DETERMINISTIC_STATE_INIT_ENTRY: "action_deterministic_state_init_per_entry",
    ActionCost.GAS_KEY_TRANSFER_BASE: "action_gas_key_transfer",
    ActionCost.GAS_KEY_BYTE: "action_gas_key_byte",
    ActionCost.GAS_KEY_NONCE_WRITE_BASE: "action_gas_key_nonce_write_base",
}
"""The parameter that prices each action cost."""
