"""The parameters of one protocol version, typed and grouped by who reads them.

Field names are the parameter names of nearcore's configuration files.

Mirrors nearcore: core/parameters/src/config.rs, core/parameters/src/vm.rs
"""

from typing import NamedTuple

from near_tee_cli.params.costs import Cost, Fee


class VMConfig(NamedTuple):
    """What preparation, the engine and the host functions read: flags, limits and prices.

    `None` as a limit means that the version does not know the limit. `ext_costs` is indexed by `ExtCost`.
    """

    vm_kind: str
    reftypes_bulk_memory: bool
    discard_custom_sections: bool
    fix_contract_loading_cost: bool
    fix_contract_loading_error: bool
    flat_storage_reads: bool
    eth_implicit_accounts: bool
    global_contract_host_fns: bool
    gas_key_host_fns: bool
    one_yocto_on_promise: bool
    p256_verify_host_fn: bool
    yield_with_id_host_fns: bool
    chain_id_host_fn: bool
    bls12381_not_in_group_fix: bool
    wasm_regular_op_cost: int
    wasm_linear_op_base_cost: int
    wasm_linear_op_unit_cost: int
    max_gas_burnt: int
    max_stack_height: int
    initial_memory_pages: int
    max_memory_pages: int
    max_functions_number_per_contract: int | None
    max_locals_per_contract: int | None
    max_tables_per_contract: int | None
    max_elements_per_contract_table: int | None
    max_function_body_size: int | None
    max_instrumented_code_size: int | None
    max_blocks_per_function: int | None
    max_blocks_per_contract: int | None
    max_types_per_contract: int | None
    max_params_per_function: int | None
    max_params_per_contract: int | None
    max_operand_stack_bytes_per_function: int | None
    registers_memory_limit: int
    max_register_size: int
    max_number_registers: int
    max_number_logs: int
    max_total_log_length: int
    max_length_returned_data: int
    max_contract_size: int
    max_length_storage_key: int
    max_length_storage_value: int
    max_promises_per_function_call_action: int
    max_number_input_data_dependencies: int
    account_id_validity_rules_version: int
    max_yield_payload_size: int
    per_receipt_storage_proof_size_limit: int
    storage_num_extra_bytes_record: int
    ext_costs: tuple[Cost, ...]


class RuntimeConfig(NamedTuple):
    """Every parameter of one protocol version.

    Balances are in yoctoNEAR, sizes in bytes, prices in gas. `fees` is indexed by `ActionCost`; ratios are
    (numerator, denominator). The per-version view of the VM is `vm`; the remaining fields are the runtime's.
    """

    protocol_version: int
    digest: bytes
    """SHA-256 over the canonical JSON of all parameters: names this configuration in a claim."""
    vm: VMConfig
    fees: tuple[Fee, ...]
    burnt_gas_reward: tuple[int, int]
    gas_refund_penalty: tuple[int, int]
    min_gas_refund_penalty: int
    min_gas_purchase_price: int
    account_creation_charge: int
    storage_amount_per_byte: int
    storage_num_bytes_account: int
    storage_num_extra_bytes_record: int
    global_contract_storage_amount_per_byte: int
    deploy_global_contract_execution_base: int
    deploy_global_contract_execution_per_byte: int
    ml_dsa_65_verification_cost: Cost
    min_allowed_top_level_account_length: int
    registrar_account_id: str
    max_total_prepaid_gas: int
    max_actions_per_receipt: int
    max_deploy_actions_per_receipt: int
    max_number_bytes_method_names: int
    max_length_method_name: int
    max_arguments_length: int
    max_transaction_size: int
    max_receipt_size: int
    yield_timeout_length_in_blocks: int
    main_storage_proof_size_soft_limit: int
    outgoing_receipts_usual_size_limit: int
    outgoing_receipts_big_size_limit: int
    max_congestion_incoming_gas: int
    max_congestion_outgoing_gas: int
    max_congestion_memory_consumption: int
    max_congestion_missed_chunks: int
    max_outgoing_gas: int
    min_outgoing_gas: int
    allowed_shard_outgoing_gas: int
    max_tx_gas: int
    min_tx_gas: int
    reject_tx_congestion_threshold: tuple[int, int]
    max_shard_bandwidth: int
    max_single_grant: int
    max_allowance: int
    max_base_bandwidth: int
