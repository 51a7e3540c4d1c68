"""nearcore's sanity checks of costs: gas by cost and ending of every receipt that a call of all host functions makes.

The contract makes the same calls with arguments of the same lengths as nearcore's; instructions and the length of
the code, which depend on the compiler, are left out of the comparison as they are there.

Mirrors nearcore: integration-tests/src/tests/runtime/sanity_checks.rs
"""

import json
import pathlib
import struct

from near_tee_cli.params.costs import ExtCost
from near_tee_cli.primitives.canonical_json import base64_text
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.primitives.schema.outcome import (
    ExecutionOutcome,
    Failure,
    Status,
    SuccessReceiptId,
    SuccessValue,
)
from near_tee_cli.runtime.outcomes import profile_view
from near_tee_cli.runtime.world import World
from tests.support.machines import machine
from tests.support.wat import wat
from tests.support.worlds import CHAIN, CONFIG, NEAR, account, block, public_key, transact

DATA = json.loads((pathlib.Path(__file__).parent / "data" / "sanity_checks.json").read_text())
NAME = "test-contract.alice.near"
TRIVIAL = wat('(module (func (export "main")))')
ARGS = f"""{{
            "contract_code": "{base64_text(TRIVIAL)}",
            "method_name": "main",
            "method_args": "",
            "validator_id": "bob.near"
        }}""".encode()
GAS = 5 * 10**12
SCRATCH = 4096

NUMBERS = {"register_len", "block_index", "block_timestamp", "epoch_height", "storage_usage", "prepaid_gas", "used_gas"}
NUMBERS |= {"promise_create", "promise_then", "promise_and", "promise_batch_create", "promise_batch_then"}
NUMBERS |= {"storage_write", "storage_read", "storage_remove", "storage_has_key", "promise_results_count"}
NUMBERS |= {"promise_result", "alt_bn128_pairing_check"}


class Contract:
    """A module put together from calls of host functions with constant arguments."""

    def __init__(self) -> None:
        self.data = b""
        self.imports: dict[str, str] = {}
        self.functions: list[str] = []
        self.body: list[str] = []

    def text(self, value: bytes) -> tuple[int, int]:
        """Length and place of bytes in memory."""
        self.data += value
        return len(value), len(self.data) - len(value)

    def at(self, value: bytes) -> int:
        """Place of bytes in memory."""
        return self.text(value)[1]

    def call(self, name: str, *arguments: int | tuple[int, int]) -> None:
        """A call; a pair stands for two arguments."""
        flat = [one for each in arguments for one in (each if isinstance(each, tuple) else (each,))]
        kind = "i32" if name == "gas" else "i64"
        result = " (result i64)" if name in NUMBERS else ""
        parameters = f" (param {' '.join([kind] * len(flat))})" if flat else ""
        self.imports[name] = f'(import "env" "{name}" (func ${name}{parameters}{result}))'
        values = "".join(f" ({kind}.const {value})" for value in flat)
        self.body.append(f"(call ${name}{values})" + (" drop" if result else ""))

    def end(self, name: str) -> None:
        """Export what was called since the last `end`."""
        self.functions.append(f'(func (export "{name}") {" ".join(self.body)})')
        self.body = []

    def code(self) -> bytes:
        """The module."""
        data = "".join(f"\\{byte:02x}" for byte in self.data)
        parts = [*self.imports.values(), "(memory 1)", f'(data (i32.const 0) "{data}")', *self.functions]
        return wat(f"(module {' '.join(parts)})")


def promises(contract: Contract, name: tuple[int, int], nothing: int) -> None:
    """Promises 0 to 11, as nearcore's contract makes them."""
    call, text = contract.call, contract.text
    noop, empty = text(b"noop"), (0, 0)
    call("promise_create", name, text(b"sanity_check_panic"), empty, nothing, GAS)
    call("promise_create", name, text(b"sanity_check_panic_utf8"), empty, nothing, GAS)
    call("log_utf8", text(b"hello"))
    call("log_utf16", text("hello".encode("utf-16-le")))
    call("promise_create", name, noop, empty, nothing, GAS)
    call("promise_then", 2, name, noop, empty, nothing, GAS)
    call("promise_then", 2, name, noop, empty, nothing, GAS)
    call("promise_and", contract.at(struct.pack("<QQ", 3, 4)), 2)
    call("promise_batch_create", name)
    call("promise_batch_then", 4, name)
    amount, main, code, key = contract.at((5 * 10**22).to_bytes(16, "little")), text(b"main"), text(TRIVIAL), (33, 0)
    foo = text(b"foo." + NAME.encode())
    call("promise_batch_create", foo)
    call("promise_batch_action_create_account", 8)
    call("promise_batch_action_transfer", 8, amount)
    call("promise_batch_action_deploy_contract", 8, code)
    call("promise_batch_action_deploy_global_contract", 8, code)
    call("promise_batch_action_deploy_global_contract_by_account_id", 8, code)
    call("promise_batch_action_function_call", 8, main, empty, nothing, GAS)
    call("promise_batch_action_function_call_weight", 8, main, empty, nothing, 0, 1)
    call("promise_batch_action_add_key_with_full_access", 8, key, 0)
    call("promise_batch_action_delete_key", 8, key)
    call("promise_batch_action_add_key_with_function_call", 8, key, 1, nothing, foo, main)
    call("promise_batch_action_delete_account", 8, name)
    call("promise_batch_create", text(b"bar." + NAME.encode()))
    call("promise_batch_action_create_account", 9)
    call("promise_batch_action_transfer", 9, amount)
    call("promise_batch_action_stake", 9, contract.at((3 * 10**22).to_bytes(16, "little")), key)
    call("promise_create", name, noop, empty, nothing, GAS)
    call("promise_then", 10, name, text(b"sanity_check_promise_results"), empty, nothing, GAS)
    call("promise_return", 11)


def sanity_contract() -> bytes:
    """A contract with the calls of nearcore's."""
    contract = Contract()
    call, text = contract.call, contract.text
    text(public_key("alice.near"))
    name, nothing, hello = text(NAME.encode()), contract.at(bytes(16)), text(b"hello")
    call("input", 0)
    call("register_len", 0)
    call("read_register", 0, SCRATCH)
    for about in ("current_account_id", "signer_account_pk"):
        call(about, 1)
        call("register_len", 1)
        call("read_register", 1, SCRATCH)
    call("signer_account_id", 1)
    call("predecessor_account_id", 1)
    for number in ("block_index", "block_timestamp", "epoch_height", "storage_usage"):
        call(number)
    call("account_balance", SCRATCH)
    call("attached_deposit", SCRATCH)
    call("prepaid_gas")
    call("used_gas")
    call("random_seed", 1)
    call("sha256", hello, 1)
    call("value_return", hello)
    promises(contract, name, nothing)
    key, unused = text(b"hi"), text(b"abcdefg")
    call("storage_write", key, hello, 1)
    call("storage_write", key, hello, 1)
    call("storage_read", unused, 1)
    call("storage_read", key, 1)
    call("storage_has_key", unused)
    call("storage_has_key", key)
    call("storage_remove", unused, 1)
    call("storage_remove", key, 1)
    call("gas", 1)
    call("validator_stake", text(b"bob.near"), SCRATCH)
    call("validator_total_stake", SCRATCH)
    call("ripemd160", text(b"A" * 10), 1)
    call("alt_bn128_g1_multiexp", text(bytes(96)), 1)
    call("alt_bn128_g1_sum", text(bytes(65)), 1)
    call("alt_bn128_pairing_check", text(bytes(192)))
    contract.end("sanity_check")
    call("promise_results_count")
    call("promise_result", 0, 0)
    contract.end("sanity_check_promise_results")
    call("panic")
    contract.end("sanity_check_panic")
    call("panic_utf8", text(b"xyz"))
    contract.end("sanity_check_panic_utf8")
    contract.end("noop")
    return contract.code()


def called(code: bytes, method: str, args: bytes) -> list[ExecutionOutcome]:
    """Outcomes of all receipts of a call, each before those that it sent."""
    chain = CHAIN._replace(validators=(("bob.near", 50 * NEAR),), minimum_stake=0)
    accounts = [account("alice.near"), account("bob.near"), account("carol.near"), account(NAME, code=code)]
    state = World.from_records(CONFIG, chain, records=[record for group in accounts for record in group])
    transaction = transact("alice.near", NAME, FunctionCall(method, args, 3 * 10**14, 0))
    outcomes = {}
    transactions = [transaction]
    while transactions or state.in_flight:
        context = block(1, gas_limit=None, gas_price=10**8)
        result = state.produce_block(context, transactions=transactions, machine=machine()).result
        outcomes.update((entry.id, entry.outcome) for entry in result.outcomes)
        transactions = []

    def below(entry_id: bytes) -> list[ExecutionOutcome]:
        outcome = outcomes[entry_id]
        return [outcome, *(later for receipt_id in outcome.receipt_ids for later in below(receipt_id))]

    return below(transaction.hash)[1:]


def ending(status: Status) -> str:
    """The words of nearcore's snapshot."""
    if isinstance(status, Failure):
        text = status.error["ActionError"]["kind"]["FunctionCallError"]["ExecutionError"]
        return str(text)
    assert status == SuccessValue(b"") or isinstance(status, SuccessReceiptId)
    return type(status).__name__


def shown(outcome: ExecutionOutcome, *, hidden: frozenset[str]) -> dict[str, object]:
    rows = {row["cost"]: row["gas_used"] for row in profile_view(outcome.metadata.profile)}
    return {
        "status": ending(outcome.status),
        "profile": {name: "0" if name in hidden else gas for name, gas in rows.items()},
    }


def test_every_host_function() -> None:
    hidden = frozenset({"CONTRACT_LOADING_BYTES", "WASM_INSTRUCTION"})
    found = [shown(outcome, hidden=hidden) for outcome in called(sanity_contract(), "sanity_check", ARGS)]
    assert found == DATA["every host function"]


def test_one_instruction() -> None:
    code = wat('(module (func (export "main") (i32.const 92) (drop)))')
    found = [shown(outcome, hidden=frozenset()) for outcome in called(code, "main", b"")]
    assert found == DATA["one instruction"]


def test_used_gas() -> None:
    # Twice in a row, after seven instructions, and in the next block of instructions.
    code = wat("""(module
        (import "env" "used_gas" (func $used_gas (result i64)))
        (import "env" "value_return" (func $value_return (param i64 i64)))
        (memory 1)
        (func (export "main") (local $0 i64) (local $1 i64) (local $2 i64) (local $3 i64)
            (call $used_gas)
            (call $used_gas)
            (local.set $1)
            (local.set $0)
            (i64.add (local.get $0) (i64.const 1))
            drop
            nop
            (call $used_gas)
            (local.set $2)
            (block $end
                (br_if $end (i64.eq (local.get $0) (i64.const 0)))
                (local.set $3 (call $used_gas))
                nop)
            (i64.store (i32.const 0) (local.get $0))
            (i64.store (i32.const 8) (local.get $1))
            (i64.store (i32.const 16) (local.get $2))
            (i64.store (i32.const 24) (local.get $3))
            (call $value_return (i64.const 32) (i64.const 0))))""")
    first, *_ = called(code, "main", b"")
    assert isinstance(first.status, SuccessValue)
    used = struct.unpack("<4Q", first.status.value)
    base, instruction = CONFIG.vm.ext_costs[ExtCost.BASE].gas, CONFIG.vm.wasm_regular_op_cost
    assert used[1] - used[0] == base + instruction
    assert used[2] - used[1] == base + 8 * instruction
    assert used[3] - used[2] > base
