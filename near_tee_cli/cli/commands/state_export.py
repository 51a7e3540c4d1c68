"""`state export`: a state for other tools."""

from collections.abc import Sequence
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.context_options import FORCE
from near_tee_cli.cli.parameters import MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.state_options import SNAPSHOT_ARGUMENT
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import UsageError

LINE = CommandLine(
    name="state export",
    summary="a state for other tools: records, a sandbox patch, answers of a node",
    description="Write SNAPSHOT as `genesis-records` or `sandbox-patch-state`, or one account of it as `view-state`,"
    " `view-account`, `view-code`, `view-access-key-list` or `state-map`. What the form cannot hold is said.",
    parameters=(
        SNAPSHOT_ARGUMENT,
        Parameter("form", ("--as",), "What to write it as.", "FORM", required=True, panel="Output"),
        Parameter("account", ("--account",), "Only this account; may be repeated for records.", "ACCOUNT", kind=MANY,
                  panel="Selection"),
        Parameter("out", ("--out", "-o"), "The file to write. Default: standard output.", "FILE", panel="Output"),
        FORCE._replace(panel="Output"),
        *OUTPUT,
    ),
)  # fmt: skip


def execute(given: Given) -> Report:
    """Export the state of a line. Raises `UsageError`, `BadInputError`, `StateError` and `WriteError`."""
    from near_tee_cli.cli import units
    from near_tee_cli.cli.outputs import STDOUT, require_free
    from near_tee_cli.cli.snapshot_input import read_state
    from near_tee_cli.params.store import config_at
    from near_tee_cli.sources.exporting import Form, export
    from near_tee_cli.workspace.atomic import write_file

    forms = {form.value: form for form in Form}
    form = forms.get(given["form"])
    if form is None:
        raise UsageError(f"--as {given['form']!r} is not known", where="--as", hint=f"known: {', '.join(forms)}")
    target = given["out"] or STDOUT
    if target == STDOUT and (given["json"] or given["output"] == "json"):
        raise UsageError("where shall the file go? standard output has the JSON document", where="--out")
    if target != STDOUT:
        require_free(target, force=given["force"])
    names = tuple(dict.fromkeys(units.account(text, "--account") for text in given["account"]))
    snapshot = read_state(given["snapshot"]).snapshot
    rows = dict(sorted(snapshot.rows.items()))
    exported = export(rows, form, accounts=names, config=config_at(snapshot.protocol_version))
    left_out = dict(exported.left_out)
    if form in (Form.GENESIS_RECORDS, Form.SANDBOX_PATCH):
        left_out |= _besides_rows(snapshot)
    if target != STDOUT:
        write_file(target, exported.data, overwrite=given["force"])
    result = {
        "path": target,
        "form": form.value,
        "size": len(exported.data),
        "items": exported.items,
        "left_out": left_out,
    }
    warnings = [f"{form.value} cannot hold {count} {name}" for name, count in left_out.items()]

    def lines(_: Audience) -> Sequence[str]:
        items = "1 item" if exported.items == 1 else f"{exported.items:,} items"
        return [f"wrote {plain(target)}: {form.value}, {items}, {len(exported.data):,} bytes"]

    document = exported.data.decode() if target == STDOUT else None
    return Report(exit_codes.OK, result, lines, warnings=(*warnings, *exported.notes), document=document)


def _besides_rows(snapshot: Any) -> dict[str, int]:
    """What a snapshot has beside its rows, as far as it is there."""
    counts = {
        "receipts in flight": len(snapshot.in_flight),
        "bandwidth requests": len(snapshot.bandwidth_requests),
        "last block": int(snapshot.block is not None),
        "validators": len(snapshot.chain.validators),
    }
    return {name: count for name, count in counts.items() if count}
