"""A contract taken apart: what it exports and imports, how large it is, and whether the chain would run it."""

from typing import Any

from near_tee_cli.cli.report import Audience
from near_tee_cli.cli.terminal import BOLD, GREEN, RED, plain
from near_tee_cli.errors import BadInputError
from near_tee_cli.params.config import VMConfig
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import base58
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.vm.engine import Engine
from near_tee_cli.vm.host.table import TABLE
from near_tee_cli.vm.kinds import VMKind, kind_of
from near_tee_cli.vm.limits import malformed_reason
from near_tee_cli.vm.prepare import prepare
from near_tee_cli.vm.prepared import MAX_CONTEXT_BYTES, Prepared, PrepareError

MAGIC = b"\0asm"

_REASONS = {
    PrepareError.SERIALIZATION: "the prepared module could not be written",
    PrepareError.DESERIALIZATION: "it is no valid module of the features that contracts may use",
    PrepareError.INTERNAL_MEMORY_DECLARED: "it declares a memory inside",
    PrepareError.GAS_INSTRUMENTATION: "it cannot be instrumented for gas",
    PrepareError.STACK_HEIGHT_INSTRUMENTATION: "it cannot be instrumented for stack height",
    PrepareError.INSTANTIATE: "it cannot be instantiated",
    PrepareError.MEMORY: "its memory is not as it has to be",
    PrepareError.TOO_MANY_FUNCTIONS: "it has more functions than max_functions_number_per_contract",
    PrepareError.TOO_MANY_LOCALS: "it has more locals than max_locals_per_contract",
    PrepareError.TOO_MANY_TABLES: "it has more tables than max_tables_per_contract",
    PrepareError.TOO_MANY_TABLE_ELEMENTS: "a table has more elements than max_elements_per_contract_table",
    PrepareError.FUNCTION_BODY_TOO_LARGE: "a function has more bytes than max_function_body_size",
    PrepareError.INSTRUMENTED_CODE_TOO_LARGE: "instrumented it has more bytes than max_instrumented_code_size",
    PrepareError.TOO_MANY_BLOCKS_PER_FUNCTION: "a function has more blocks than max_blocks_per_function",
    PrepareError.TOO_MANY_BLOCKS_PER_CONTRACT: "it has more blocks than max_blocks_per_contract",
    PrepareError.TOO_MANY_TYPES: "it has more types than max_types_per_contract",
    PrepareError.TOO_MANY_PARAMS_PER_CONTRACT: "it has more parameters than max_params_per_contract",
    PrepareError.TOO_MANY_PARAMS_PER_FUNCTION: "a function has more parameters than max_params_per_function",
    PrepareError.OPERAND_STACK_TOO_LARGE: "a function needs a larger operand stack than allowed",
}


def contract_json(code: bytes, protocol_version: int) -> dict[str, Any]:
    """A contract for programs. Raises `BadInputError` (`contract-...`) with the reason when no call of it can run."""
    config = config_at(protocol_version).vm
    if len(code) > config.max_contract_size:
        raise BadInputError(
            f"the contract has {len(code)} bytes, at most {config.max_contract_size} can be deployed",
            code="contract-too-large",
        )
    kind = kind_of(config)
    prepared = prepare(code, config, validate=Engine().validator(bulk_memory=kind.bulk_memory))
    if isinstance(prepared, PrepareError):
        raise _refused(code, config, prepared)
    types = {entry.name: (entry.params, entry.result) for entry in TABLE if entry.enabled(config)}
    problem = _problem(prepared, types, kind)
    return {
        "kind": "contract",
        "code_hash": base58.encode(sha256(code)),
        "sha256": sha256(code).hex(),
        "size": len(code),
        "protocol_version": protocol_version,
        "methods": sorted(name for name, fits in prepared.methods.items() if fits),
        "not_callable": sorted(name for name, fits in prepared.methods.items() if not fits),
        "imports": [
            {"name": one.name, "params": one.params, "result": one.result, "known": one.name in types}
            for one in prepared.imports
        ],
        "has_start": prepared.has_start,
        "instrumented_size": prepared.nearcore_length or None,
        "runs": problem is None,
        "problem": problem,
    }


def _refused(code: bytes, config: VMConfig, error: PrepareError) -> BadInputError:
    reason = _REASONS[error]
    if error is PrepareError.DESERIALIZATION:
        detail = malformed_reason(code, config)
        reason += "" if detail is None else f": {detail}"
    word = error.name.lower().replace("_", "-")
    return BadInputError(
        f"the contract cannot be run: {reason}",
        code=f"contract-{word}",
        hint=f"deploying it succeeds on chain, each call of it fails with PrepareError {error.variant}",
    )


def _problem(prepared: Prepared, types: dict[str, tuple[str, str]], kind: VMKind) -> str | None:
    """Why calls of a prepared contract would fail all the same."""
    if prepared.compile_error is not None:
        return prepared.compile_error
    if prepared.context_bytes > MAX_CONTEXT_BYTES:
        return "one instance needs a larger context than the engine gives"
    error = kind.link_check(prepared.imports, types)
    return None if error is None else error.msg


def contract_lines(result: dict[str, Any], audience: Audience) -> list[str]:
    """A contract for people."""
    style = audience.style
    verdict = style("runs", GREEN) if result["runs"] else style(f"fails when called: {plain(result['problem'])}", RED)
    rules = f"protocol version {result['protocol_version']}"
    lines = [
        f"{style('contract', BOLD)}  {result['size']:,} bytes, {verdict} at {rules}",
        f"hash      {result['code_hash']}",
        f"sha256    {result['sha256']}",
        f"methods   {', '.join(map(plain, result['methods'])) or 'none'}",
    ]
    if result["not_callable"]:
        lines.append(f"exported  but not callable: {', '.join(map(plain, result['not_callable']))}")
    unknown = [one["name"] for one in result["imports"] if not one["known"]]
    lines.append(
        f"imports   {len(result['imports'])} host functions" + (" (-v lists them)" if not audience.verbose else "")
    )
    if audience.verbose:
        lines += [f"  {plain(one['name'])}" for one in result["imports"]]
    if unknown:
        lines.append(f"unknown   {', '.join(map(plain, unknown))}")
    return lines
