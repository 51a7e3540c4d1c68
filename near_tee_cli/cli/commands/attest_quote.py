"""`attest quote`: evidence about this guest that binds a key or content, for others to check or to register."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.agents import AGENT, agent_of
from near_tee_cli.cli.attesting import SIMULATED
from near_tee_cli.cli.bindings import BINDING, binding_of
from near_tee_cli.cli.parameters import FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="attest quote",
    summary="evidence that binds a public key, from this guest's agent",
    description="Ask the guest agent for a quote whose report data bind a key, and write it with event log, compose"
    " file and machine as one piece of evidence. The key itself stays where it is; claims are signed by `prove"
    " --attest` and `worker`, with keys that live in their process.",
    parameters=(
        Parameter("out", ("--out", "-o"), "Where the evidence goes (JSON).", "FILE"),
        Parameter("force", ("--force",), "Replace a file that exists.", kind=FLAG),
        Parameter("collateral", ("--collateral",), "Collateral (JSON) to put beside it.", "FILE"),
        *BINDING,
        *AGENT,
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Ask for a quote. Raises `UsageError`, `HostError` for an agent that does not do its part, `WriteError`."""
    from near_tee_cli.attest.evidence import Evidence
    from near_tee_cli.attest.quote import parse_quote
    from near_tee_cli.attest.report_data import report_data_of
    from near_tee_cli.cli import files
    from near_tee_cli.proof.evidence_part import EvidencePart, encode_evidence
    from near_tee_cli.workspace.atomic import write_file

    if given["out"] is None:
        raise UsageError("where shall the evidence go?", where="--out", hint="add -o FILE")
    binding = binding_of({"tag": None, "content": None, "task": None, **given})
    if binding is None:
        raise UsageError("what shall the quote bind?", where="--profile", hint="--profile near-tee-v1 --public-key KEY")
    collateral = None
    if given["collateral"] is not None:
        collateral = files.read(given["collateral"], "the collateral", max_bytes=files.MAX_SMALL_BYTES)
    agent = agent_of(given)
    info = agent.info()
    answer = agent.get_quote(report_data_of(binding))
    evidence = Evidence(answer.quote, collateral, answer.event_log, info.compose, binding)
    write_file(given["out"], encode_evidence(EvidencePart(evidence, answer.vm_config)), overwrite=given["force"])
    result: dict[str, Any] = {
        "path": given["out"],
        "identity": "sha256:" + parse_quote(answer.quote).identity.hex(),
        "profile": given["profile"],
        "report_data": answer.report_data.hex(),
        "simulated": info.is_simulated,
    }
    told = f"wrote  {plain(given['out'])}  {result['identity']}"
    warnings = (SIMULATED,) if info.is_simulated else ()
    return Report(exit_codes.OK, result, lambda _: [told], warnings=warnings)
