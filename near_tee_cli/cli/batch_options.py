"""The options of a batch. Apart from what executes one, since every line of `prove` declares them."""

from near_tee_cli.cli.parameters import FLAG, Parameter

BATCH = (
    Parameter("batch", ("--batch",), "Prove everything in a manifest (TOML, JSON, JSON Lines) or a directory of cases.",
              "MANIFEST", panel="Batch"),
    Parameter("jobs", ("--jobs", "-J"), "How many at once. Default: one for each processor.", "N",
              panel="Batch"),
    Parameter("resume", ("--resume",), "Go on with a batch: what is finished is not done again.", kind=FLAG,
              panel="Batch"),
    Parameter("fail_fast", ("--fail-fast",), "Stop at the first item that fails.", kind=FLAG, panel="Batch"),
    Parameter("junit", ("--junit",), "Write the results as JUnit XML.", "FILE", panel="Batch"),
    Parameter("scheduler", ("--scheduler",), "Have the workers of a Dask cluster do it: tls://HOST:PORT, or"
              " tcp://127.0.0.1:PORT.", "ADDRESS", panel="Batch"),
    Parameter("store", ("--store",), "Where workers find inputs and leave results: a directory that they share, or a"
              " URL for fsspec. Default: the directory of -o.", "URL", panel="Batch"),
    Parameter("tls_ca", ("--tls-ca",), "The certificate of the authority of that cluster.", "FILE", panel="Batch"),
    Parameter("tls_cert", ("--tls-cert",), "Our certificate.", "FILE", panel="Batch"),
    Parameter("tls_key", ("--tls-key",), "The key that belongs to it.", "FILE", panel="Batch"),
    Parameter("time_limit", ("--time-limit",), "Seconds that one item may take. Default 60.", "SECONDS", panel="Batch"),
)  # fmt: skip
"""What goes with a batch."""

OF_A_CLUSTER = ("store", "tls_ca", "tls_cert", "tls_key")
"""Names of those that make sense with `--scheduler` only."""
