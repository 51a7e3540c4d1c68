"""The options of verifying many bundles. Apart from what shows the results, since the line itself declares them."""

from near_tee_cli.cli.parameters import FLAG, Parameter

MANY_BUNDLES = (
    Parameter("fail_fast", ("--fail-fast",), "Stop at the first bundle that is not established.", kind=FLAG,
              panel="Results"),
    Parameter("junit", ("--junit",), "Write the verdicts as JUnit XML.", "FILE", panel="Results"),
    Parameter("jsonl", ("--jsonl",), "Print a line of JSON for each bundle as soon as those before it are done, then"
              " one for all.", kind=FLAG, panel="Results"),
)  # fmt: skip
