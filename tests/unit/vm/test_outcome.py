"""Errors as values: their text and their chain-level form, against what nearcore prints."""

import pytest

from near_tee_cli.vm.outcome import (
    NO_PROFILE,
    CodeDoesNotExist,
    CompileError,
    HostError,
    LinkError,
    LoadingError,
    MethodResolveError,
    PrepareFailure,
    WasmTrap,
    WasmUnknownError,
    error_text,
    function_call_error_json,
    nop_outcome,
)
from near_tee_cli.vm.prepared import PrepareError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MethodResolveError.NOT_FOUND, {"MethodResolveError": "MethodNotFound"}),
        (MethodResolveError.EMPTY_NAME, {"MethodResolveError": "MethodEmptyName"}),
        (CodeDoesNotExist("bob.near"), {"CompilationError": {"CodeDoesNotExist": {"account_id": "bob.near"}}}),
        (PrepareFailure(PrepareError.TOO_MANY_TABLES), {"CompilationError": {"PrepareError": "TooManyTables"}}),
        (CompileError("x"), {"CompilationError": {"WasmerCompileError": {"msg": "x"}}}),
        (LinkError("unknown or invalid import"), {"ExecutionError": "Link Error: unknown or invalid import"}),
        (LoadingError("too large"), {"ExecutionError": "Loading Error: too large"}),
        (WasmUnknownError("strange"), {"ExecutionError": "strange"}),
        (
            WasmTrap.UNREACHABLE,
            {"ExecutionError": "WebAssembly trap: An `unreachable` opcode was executed."},
        ),
        (HostError("GasExceeded"), {"ExecutionError": "Exceeded the prepaid gas."}),
    ],
)
def test_chain_level_form(error, expected):
    assert function_call_error_json(error) == expected


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            HostError("GuestPanic", (("panic_msg", "no {braces} {0}"),)),
            "Smart contract panicked: no {braces} {0}",
        ),
        (
            HostError("InvalidPromiseIndex", (("promise_idx", 2**64 - 1),)),
            "18446744073709551615 does not correspond to existing promises",
        ),
        (
            HostError("InvalidActionIndex", (("receipt_index", 1), ("action_index", 0))),
            "Action 0 in receipt 1 does not exist or has the wrong type of action.",
        ),
        (
            HostError(
                "NumberInputDataDependenciesExceeded", (("number_of_input_data_dependencies", 129), ("limit", 128))
            ),
            "The number of input data dependencies 129 exceeds the limit 128",
        ),
        (
            HostError("RecordedStorageExceeded", (("limit", 4_000_000),)),
            "Size of the recorded trie storage proof has exceeded the allowed limit (4.0 MB)",
        ),
        (
            HostError("RecordedStorageExceeded", (("limit", 999),)),
            "Size of the recorded trie storage proof has exceeded the allowed limit (999 B)",
        ),
        (
            HostError("RecordedStorageExceeded", (("limit", 1_550),)),
            "Size of the recorded trie storage proof has exceeded the allowed limit (1.6 KB)",
        ),
        (MethodResolveError.INVALID_SIGNATURE, "MethodInvalidSignature"),
        (CodeDoesNotExist("bob.near"), "cannot find contract code for account bob.near"),
    ],
)
def test_texts(error, text):
    assert error_text(error) == text


def test_a_nop_outcome_has_nothing_but_its_error():
    outcome = nop_outcome(MethodResolveError.NOT_FOUND)
    assert outcome.aborted is MethodResolveError.NOT_FOUND
    assert (outcome.balance, outcome.burnt_gas, outcome.used_gas, outcome.logs) == (0, 0, 0, ())
    assert outcome.profile == NO_PROFILE
