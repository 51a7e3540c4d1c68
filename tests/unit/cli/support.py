"""Lines of `run` without a process: the values a parser would give, and a machine that runs nothing."""

from near_tee_cli.cli.commands.run import LINE
from near_tee_cli.cli.parser import parse
from near_tee_cli.primitives.schema.outcome import GasProfile
from near_tee_cli.vm.outcome import HostError, VMOutcome


def given(*arguments):
    return parse(LINE, list(arguments))


class StubMachine:
    """Answers every call with the same outcome: writes one row, logs, burns a known amount."""

    def __init__(self, *, value=b'{"x":1}', aborted=None, logs=("a log",), burnt=3 * 10**12):
        self.value = value
        self.aborted = aborted
        self.logs = logs
        self.burnt = burnt
        self.contexts = []

    def run(self, code, code_hash, *, method, context, external, config):
        self.contexts.append(context)
        if not context.is_view:
            external.storage_set(b"STATE", b"written")
        ext = [0] * 88
        ext[0] = self.burnt // 3
        profile = GasProfile((0,) * 26, tuple(ext), self.burnt - ext[0])
        return VMOutcome(
            context.account_balance + context.attached_deposit,
            context.storage_usage + 40,
            self.value,
            self.burnt,
            self.burnt,
            self.burnt,
            self.logs,
            profile,
            self.aborted,
            0,
        )


PANIC = HostError("GuestPanic", (("panic_msg", "no \x1b[31m"),))
