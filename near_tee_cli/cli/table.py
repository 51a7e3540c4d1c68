"""The commands in the order of the help, each with the module that holds it; a module is imported when it is named."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command: its module below `near_tee_cli.cli.commands`, and what it is for in a line."""

    module: str
    summary: str


COMMANDS = {
    "run": Entry("run", "execute a call and follow what it sends until nothing is in flight"),
    "yield": Entry("yield_call", "execute a call until it waits for data from outside, and keep what waits as a step"),
    "resume": Entry("resume", "go on from a yield: with data, by a call that resumes it, or by its timeout"),
    "yields": Entry("yields", "the yields of a step or a snapshot: pending, resumed, timed out, executed"),
    "steps": Entry("steps", "the tree of steps in a directory: what was tried from where, and what it came to"),
    "diff": Entry("diff", "what differs between two steps: status, gas, logs, receipts, yields, state"),
    "prove": Entry("prove", "execute and write a proof bundle that anybody can verify offline"),
    "verify": Entry("verify", "check proof bundles, by default by executing them again"),
    "sign": Entry("sign", "vouch for a proof bundle with a key of yours"),
    "bundle": Entry("bundle", "put bundles together, take them apart, look into them"),
    "key": Entry("key", "make, show and take over the keys that sign bundles"),
    "worker": Entry("worker", "take jobs as they come, prove each, sign, and tell of it"),
    "policy": Entry("policy", "read policy files, and begin one from a quote"),
    "attest": Entry("attest", "evidence about the machine that executes"),
    "replay": Entry("replay", "apply recorded cases and compare with what was recorded"),
    "state": Entry("state", "make, change, import, compare and look into state snapshots"),
    "inspect": Entry("inspect", "say what a contract, bundle, snapshot, step or case contains"),
    "doctor": Entry("doctor", "check this installation and say what was found"),
}

SUBCOMMANDS = {
    "attest": {
        "verify": Entry("attest_verify", "check a quote with all that belongs to it, offline"),
        "task": Entry("attest_task", "a record of an OutLayer task, held against its quote"),
        "register": Entry("attest_register", "the call that registers a worker's key at OutLayer"),
        "quote": Entry("attest_quote", "evidence that binds a public key, from this guest's agent"),
        "simulate": Entry("attest_simulate", "a simulated dstack guest agent; its evidence is NOT INTEL"),
    },
    "bundle": {
        "pack": Entry("bundle_pack", "several bundles in one file that shares what they have in common"),
        "unpack": Entry("bundle_unpack", "the bundles of a chain file, byte for byte"),
        "show": Entry("bundle_show", "what a bundle or a chain file claims and holds"),
    },
    "key": {
        "new": Entry("key_new", "a new key in a file that only you may read"),
        "show": Entry("key_show", "the public half of a key"),
        "import": Entry("key_import", "a key of another tool in a file of its own"),
    },
    "policy": {
        "check": Entry("policy_check", "read a policy file as verify would, and say what it leaves open"),
        "from-quote": Entry("policy_from_quote", "a policy that accepts what a quote says, as a start to edit"),
    },
    "state": {
        "init": Entry("state_init", "a state from nothing: accounts, contracts, keys, data"),
        "set": Entry("state_set", "a snapshot with accounts, contracts, keys or data changed"),
        "import": Entry("state_import", "a state from genesis, records, sandbox patches, answers of a node"),
        "export": Entry("state_export", "a state for other tools: records, a sandbox patch, answers of a node"),
        "merge": Entry("state_merge", "two snapshots as one, account by account"),
        "diff": Entry("state_diff", "what differs between two snapshots, by account and kind"),
        "root": Entry("state_root", "the state root of a snapshot"),
        "show": Entry("state_show", "what a snapshot holds, account by account"),
        "get": Entry("state_get", "one value of the state"),
        "prove-key": Entry("state_prove_key", "a Merkle proof that a key has a value, or has none"),
        "convert": Entry("state_convert", "a snapshot in another form, also as a directory for large states"),
    },
}
