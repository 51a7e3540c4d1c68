"""`bundle unpack`: the bundles of a chain file in files of their own."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain

LINE = CommandLine(
    name="bundle unpack",
    summary="the bundles of a chain file, byte for byte",
    description="Write the bundles of CHAIN to a new directory, as 0000.ntb, 0001.ntb and so on.",
    parameters=(
        Parameter("chain", (), "The chain file.", "CHAIN", required=True),
        Parameter("out", ("--out", "-o"), "The directory to make.", "DIR", required=True),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Unpack a chain file. Raises `BadInputError` and `WriteError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.cli.outputs import require_free
    from near_tee_cli.proof.chain_file import unpack
    from near_tee_cli.workspace.atomic import write_directory

    require_free(given["out"], force=False)
    bundles = unpack(files.read(given["chain"], "the chain file", max_bytes=files.MAX_BUNDLE_BYTES))
    named = {f"{number:04}.ntb": data for number, data in enumerate(bundles)}
    write_directory(given["out"], named)
    result = {"path": given["out"], "bundles": list(named)}
    return Report(exit_codes.OK, result, lambda _: [f"unpacked  {plain(given['out'])}  {len(named)} bundles"])
