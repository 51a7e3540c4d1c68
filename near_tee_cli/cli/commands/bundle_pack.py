"""`bundle pack`: several bundles in one file."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import FLAG, MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain

LINE = CommandLine(
    name="bundle pack",
    summary="several bundles in one file that shares what they have in common",
    description="Put BUNDLEs into one chain file, in this order. `verify` reads it like the bundles themselves.",
    parameters=(
        Parameter("bundles", (), "The bundles.", "BUNDLE...", kind=MANY, required=True),
        Parameter("out", ("--out", "-o"), "The chain file to write, usually called *.ntc.", "FILE", required=True),
        Parameter("force", ("--force",), "Replace a file that exists.", kind=FLAG),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Pack bundles. Raises `BadInputError` and `WriteError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.cli.outputs import require_free
    from near_tee_cli.proof.chain_file import pack
    from near_tee_cli.workspace.atomic import write_file

    require_free(given["out"], force=given["force"])
    bundles = [files.read(path, "the bundle", max_bytes=files.MAX_BUNDLE_BYTES) for path in given["bundles"]]
    data = pack(bundles)
    write_file(given["out"], data, overwrite=given["force"])
    result = {"path": given["out"], "bundles": len(bundles), "size": len(data), "unpacked": sum(map(len, bundles))}
    text = f"packed  {plain(given['out'])}  {len(bundles)} bundles of {result['unpacked']:,} bytes in {len(data):,}"
    return Report(exit_codes.OK, result, lambda _: [text])
