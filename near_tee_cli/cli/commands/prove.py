"""`prove`: execute, and write a bundle that anybody can verify."""

from typing import Any

from near_tee_cli.cli import context_options, exit_codes
from near_tee_cli.cli.agents import ATTEST, require_attesting
from near_tee_cli.cli.batch_options import BATCH, OF_A_CLUSTER
from near_tee_cli.cli.claim_options import CLAIM, formed, purpose_of
from near_tee_cli.cli.parameters import FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, GREEN, plain
from near_tee_cli.errors import UsageError

_KEPT = ("state_out", "in_place")
"""What a proof does not do: it leaves every state alone."""
_OPTIONS = tuple(
    parameter._replace(flags=("--signer-key",)) if parameter.name == "key" else parameter
    for parameter in context_options.EVERYTHING
    if parameter.name not in _KEPT
)

LINE = CommandLine(
    name="prove",
    summary="execute and write a proof bundle that anybody can verify offline",
    description=(
        "Prove a call (CONTRACT.wasm METHOD, with the options of run), a step of `run --out` or a recorded case. The"
        " bundle is verified by executing it again before it is written. A contract that fails is proved like others."
    ),
    parameters=(
        context_options.CONTRACT_ARGUMENT._replace(required=False, metavar="[CONTRACT.wasm]"),
        context_options.METHOD_ARGUMENT._replace(required=False, metavar="[METHOD]"),
        context_options.POSITIONAL_ARGS,
        Parameter("from_step", ("--from",), "Prove a step that `run --out` wrote.", "STEP", panel="Source"),
        Parameter(
            "all_steps",
            ("--all",),
            "Prove the steps that led to --from too, as a chain: -o is a directory, or one file NAME.ntc.",
            kind=FLAG,
            panel="Source",
        ),
        Parameter("case", ("--case",), "Prove a recorded case.", "CASE", panel="Source"),
        Parameter("out", ("--out", "-o"), "The bundle to write, usually called *.ntb.", "BUNDLE", panel="Output"),
        Parameter(
            "sign_with",
            ("--key", "--sign-with"),
            "The file of a key that signs the claim. (The key of --as-transaction is --signer-key here.)",
            "FILE",
            panel="Claim",
        ),
        *CLAIM,
        *ATTEST,
        *BATCH,
        *_OPTIONS,
        *OUTPUT,
    ),
    executes=True,
    children_with=("batch", "attest"),
)

_OF_A_CALL = tuple(
    parameter.name
    for parameter in (*_OPTIONS, context_options.METHOD_ARGUMENT, context_options.POSITIONAL_ARGS)
    if parameter.name not in ("compiler", "force")
)


def execute(given: Given) -> Report:
    """Prove what a line names. Raises what stops it."""
    from near_tee_cli.cli.claims import bundle_json
    from near_tee_cli.cli.machine import EXECUTING, machine
    from near_tee_cli.cli.outputs import require_free
    from near_tee_cli.cli.proving import source_of
    from near_tee_cli.proof.prover import prove
    from near_tee_cli.workspace.atomic import write_file

    given = {**dict.fromkeys(_KEPT), **given}
    if given["batch"] is not None:
        return _batch(given)
    _require_one_source(given)
    out = given["out"]
    if out is None or out == "-":
        raise UsageError("where shall the bundle go?", where="--out", hint="add -o NAME.ntb")
    for key in (given["sign_with"], given["key"]):
        require_free(out, force=given["force"], key=key)
    require_attesting(given)
    if given["attest"]:
        return _attested(given)
    if given["all_steps"]:
        return _chain(given)
    prepared = machine(given["compiler"], namespace=EXECUTING)
    source = source_of(given, prepared.machine)
    world = source.world
    purpose = purpose_of(given)
    proof = prove(world.config, world.chain, transitions=source.transitions, machine=prepared.machine, purpose=purpose)
    data, signer = _signed(formed(proof.data, given), given)
    write_file(out, data, overwrite=given["force"])
    bundle = bundle_json(data, proof.claim)
    result = {"path": out, **bundle, "signer": signer, "run": source.result}
    return Report(
        exit_code=exit_codes.OK,
        result=result,
        lines=lambda audience: _lines(result, audience),
        warnings=(*prepared.warnings, *source.notes),
        engine={
            **prepared.engine,
            "protocol_version": world.config.protocol_version,
            "config_digest": world.config.digest.hex(),
        },
    )


def _signed(data: bytes, given: Given) -> tuple[bytes, str | None]:
    """The bundle with the signature that the line asks for, and whose it is. Raises `BadInputError`."""
    if given["sign_with"] is None:
        return data, None
    from near_tee_cli.cli.key_file import read_secret_key
    from near_tee_cli.primitives.keys import public_key_text
    from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
    from near_tee_cli.proof.signatures import sign_bundle

    key = read_secret_key(given["sign_with"])
    signed = sign_bundle(decode_bundle(data), public_key=key.public_key(), sign=key.sign_bytes)
    return encode_bundle(signed), public_key_text(key.public_key())


def _attested(given: Given) -> Report:
    """Prove in a child, and sign with a key that is made when no child is left. Raises what stops it."""
    from near_tee_cli.cli.attested_proving import attested_proof

    for name, flag in (("all_steps", "--all"), ("sign_with", "--key")):
        if given[name] not in (None, False):
            raise UsageError(f"{flag} and --attest do not go together", where=flag)
    result, warnings = attested_proof({**given, "attest": False}, given)
    return Report(exit_codes.OK, result, lambda audience: _lines(result, audience), warnings=warnings)


def _chain(given: Given) -> Report:
    """Prove a step and those that led to it, each bundle naming the one before. Raises what stops it."""
    from near_tee_cli.cli.claims import bundle_json
    from near_tee_cli.cli.machine import EXECUTING, machine
    from near_tee_cli.cli.proving import prove_path

    prepared = machine(given["compiler"], namespace=EXECUTING)
    bundles = prove_path(given["from_step"], purpose_of(given), machine=prepared.machine)
    finished = [(name, *_signed(formed(proof.data, given), given), proof.claim) for name, proof in bundles]
    written = _write_chain(given["out"], [(name, data) for name, data, _, _ in finished], force=given["force"])
    entries = [{"name": name, **bundle_json(data, claim), "signer": signer} for name, data, signer, claim in finished]
    result = {"path": given["out"], "size": written, "bundles": entries}
    text = f"proved  {plain(given['out'])}  a chain of {len(entries)} bundles, {written:,} bytes"
    return Report(exit_codes.OK, result, lambda _: [text], warnings=prepared.warnings, engine=prepared.engine)


def _write_chain(out: str, bundles: list[tuple[str, bytes]], *, force: bool) -> int:
    """Write bundles as one chain file or as a directory; how many bytes."""
    from near_tee_cli.proof.chain_file import pack
    from near_tee_cli.workspace.atomic import write_directory, write_file

    if out.endswith(".ntc"):
        data = pack([data for _, data in bundles])
        write_file(out, data, overwrite=force)
        return len(data)
    width = max(2, len(str(len(bundles) - 1)))
    write_directory(out, {f"{number:0{width}}-{name}.ntb": data for number, (name, data) in enumerate(bundles)})
    return sum(len(data) for _, data in bundles)


def _require_one_source(given: Given) -> None:
    named = {
        "CONTRACT.wasm": given["contract_file"],
        "--from": given["from_step"],
        "--case": given["case"],
    }
    if given["all_steps"] and given["from_step"] is None:
        raise UsageError("--all goes with --from", where="--all")
    for parameter in BATCH:
        if given[parameter.name] not in (None, False):
            raise UsageError(f"{parameter.flags[0]} goes with --batch", where=parameter.flags[0])
    sources = [name for name, value in named.items() if value is not None]
    if len(sources) != 1:
        what = "nothing to prove" if not sources else f"{' and '.join(sources)} name different things to prove"
        hint = "give CONTRACT.wasm METHOD, or --from STEP, or --case CASE"
        raise UsageError(what, hint=hint)
    if sources == ["CONTRACT.wasm"]:
        if given["method"] is None:
            raise UsageError("which method of the contract?", hint="give CONTRACT.wasm METHOD")
        return
    for name in _OF_A_CALL:
        if given[name] not in (None, False, ()):
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} belongs to a call, not to {sources[0]}", where=flag)


def _batch(given: Given) -> Report:
    """Prove everything in a manifest. Raises what stops all of it; what stops one item is its result."""
    from near_tee_cli.cli import batching
    from near_tee_cli.cli.batch_items import line_parser
    from near_tee_cli.cli.junit_file import require_junit_place, write_junit
    from near_tee_cli.cli.key_file import read_secret_key
    from near_tee_cli.cli.key_trial import require_usable_key

    if given["out"] is None or given["out"] == "-":
        raise UsageError("where shall the bundles go?", where="--out", hint="add -o DIRECTORY")
    for name in ("contract_file", "from_step", "all_steps", "case", "force", *_OF_A_CALL):
        if given[name] not in (None, False, ()):
            raise UsageError("what is to be proved stands in the manifest", where="--batch")
    if given["sign_with"] is not None:
        require_usable_key(given["sign_with"])
    require_junit_place(given["junit"], made=given["out"])
    with _kind_of_batch(given)(given, line_parser(LINE, complete)) as batch:
        results = batching.collected(batch, stream=given["json"] or given["output"] == "json", quiet=given["quiet"])
    if given["sign_with"] is not None:
        batch.sign(read_secret_key(given["sign_with"]), results)
    if given["junit"] is not None:
        write_junit(given["junit"], batching.junit_document(given["batch"], results))
    return batching.report(given, batch, results)


def complete(item: Given) -> Given:
    """The values of an item of a batch with those that none can say. Raises `UsageError` unless it names one thing."""
    filled = {**dict.fromkeys(_KEPT), **item}
    _require_one_source(filled)
    return filled


def _kind_of_batch(given: Given) -> Any:
    """A batch on this machine, or on a cluster. Raises `UsageError` for flags that go with the other one."""
    if given["scheduler"] is not None:
        from near_tee_cli.cli.cluster_batch import ClusterBatch

        return ClusterBatch
    from near_tee_cli.cli.batching import Batch

    for parameter in BATCH:
        if parameter.name in OF_A_CLUSTER and given[parameter.name] is not None:
            raise UsageError(f"{parameter.flags[0]} goes with --scheduler", where=parameter.flags[0])
    return Batch


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    from near_tee_cli.cli.claims import claim_lines
    from near_tee_cli.cli.failures import failure_text

    style = audience.style
    if audience.quiet:
        return [result["file_digest"]]
    lines = [
        f"{style('proved', GREEN, BOLD)}  {plain(result['path'])}  {result['size']:,} bytes  {result['file_digest']}"
    ]
    lines += [f"  {line}" for line in claim_lines(result)]
    if result["signer"] is not None:
        lines.append(f"  signed by {result['signer']}")
    run = result["run"]
    if run is not None and run["failure"] is not None:
        lines.append(f"  the contract failed, provably: {plain(failure_text(run['failure']))}")
    return lines
