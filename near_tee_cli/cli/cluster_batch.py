"""`prove --batch --scheduler`: the same batch on the workers of a cluster.

Several items make a task, so that handing out costs little beside the work. What an item reads goes into a store that
all machines see, under its digest; so do the results. The results come back to the directory of the batch, where they
are held against themselves like those of a child.
"""

import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import near_tee_cli
from near_tee_cli.batch.cluster import Certificates, Cluster, Lost
from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.batch_items import LineOf, Work, parcel
from near_tee_cli.cli.batch_jobs import members_of, stopped, summary_of
from near_tee_cli.cli.batching import Batch
from near_tee_cli.cli.parameters import Given
from near_tee_cli.errors import BadInputError, NearTeeError, UsageError
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.workspace.blobs import blobs_at
from near_tee_cli.workspace.private_files import require_private_file
from near_tee_cli.workspace.result_seal import own_key
from near_tee_cli.workspace.result_store import Results

_WORKER = "near_tee_cli.cli.cluster_worker"
_ITEMS_OF_A_TASK = 8
_TASKS_OF_A_THREAD = 4
"""So many tasks at least, where there are items for them: the last ones end about the same time."""

Entry = tuple[tuple[str, Work | None], dict[str, Any] | None]
"""An item, and its result once that is known."""


class ClusterBatch(Batch):
    """A batch under way, on the workers of a cluster."""

    def __init__(self, given: Given, line_of: LineOf) -> None:
        """Connect and open both stores. Raises as `Batch` does, and `HostError` when there is no cluster."""
        if given["jobs"] is not None:
            raise UsageError("how many at once is a matter of the cluster", where="--jobs")
        certificates = _certificates(given)
        self._cluster = Cluster(given["scheduler"], certificates)
        super().__init__(given, line_of)
        blobs = self.store.blobs if given["store"] is None else blobs_at(given["store"])
        self._shared = Results(blobs, key=own_key)
        self._mark = secrets.token_hex(8)
        self._shared.mark(self._mark)
        self.hands = self._cluster.threads

    def results(self) -> Iterator[tuple[tuple[str, Work | None], dict[str, Any]]]:
        """As `Batch.results`."""
        groups: list[list[Entry]] = []
        try:
            answers = self._cluster.run_all(_WORKER, self._tasks_of(groups))
            for answer in answers:
                yield from _told(self._finished(groups.pop(0), answer))
            for group in groups:
                yield from _told(group)
        finally:
            self._cluster.close()

    def _tasks_of(self, groups: list[list[Entry]]) -> Iterator[tuple[str, bytes]]:
        """Key and bytes of every task. Behind `groups` comes each task's group of items, in the end those without."""
        size = max(1, min(_ITEMS_OF_A_TASK, len(self.items) // (_TASKS_OF_A_THREAD * self.hands)))
        group: list[Entry] = []
        parcels: list[dict[str, Any]] = []
        for item in self.items:
            work, result = self.known(item)
            if work is not None and result is None:
                try:
                    parcels.append(self._shipped(work))
                except NearTeeError as error:
                    result = stopped(exit_codes.of_error(error), members_of(error))
            group.append(((item.name, work), result))
            if len(parcels) == size:
                groups.append(group)
                yield self._task(parcels)
                group, parcels = [], []
        groups.append(group)
        if parcels:
            yield self._task(parcels)

    def _shipped(self, work: Work) -> dict[str, Any]:
        """An item as it travels, when what it reads lies in the store. Raises `WriteError`."""
        for path, digest in work.files.items():
            self._shared.ship(digest, partial(self.inputs.read, path))
        return parcel(work)

    def _task(self, parcels: list[dict[str, Any]]) -> tuple[str, bytes]:
        task = {
            "version": near_tee_cli.__version__,
            "store": self._shared.blobs.location,
            "mark": self._mark,
            "key": own_key().hex(),
            "milliseconds": round(1000 * self.seconds),
            "compiler": self.given["compiler"],
            "items": parcels,
        }
        data = cj.dumps(task)
        return f"near-tee-{self._mark}-{sha256(data).hex()}", data

    def _finished(self, group: list[Entry], answer: bytes | Lost) -> list[Entry]:
        """A group with what the workers told of it."""
        if isinstance(answer, Lost):
            told = {"code": answer.code, "message": answer.message, "hint": None}
            return [(key, result or stopped(exit_codes.INTERNAL, {**told, "where": key[0]})) for key, result in group]
        lines = iter(answer.splitlines())
        return [(key, self._taken(key, next(lines, b"")) if result is None else result) for key, result in group]

    def _taken(self, key: tuple[str, Work | None], line: bytes) -> dict[str, Any]:
        """The result that a worker told of an item, with its bundle held against itself and stored here."""
        name, work = key
        try:
            told = cj.mapping(cj.loads(line, "the answer"), "the answer")
            if told.get("error") is not None:
                return stopped(cj.integer(told.get("exit"), "exit"), cj.mapping(told["error"], "error"))
            return self._stored(work, told)
        except BadInputError as error:
            return stopped(exit_codes.INTERNAL, {**members_of(error), "code": "worker-lost", "where": name})

    def _stored(self, work: Work | None, told: Mapping[str, Any]) -> dict[str, Any]:
        digest = cj.string(told.get("bundle"), "bundle")
        data = self._shared.bundle(digest)
        if data is None or work is None:
            raise BadInputError(f"the bundle {digest} is not in the store")
        summary = summary_of(data, told.get("contract_failure"))
        return {**self.store.keep(work.job_id, data, summary), "cached": told.get("cached") is True}


def _told(group: list[Entry]) -> Iterator[tuple[tuple[str, Work | None], dict[str, Any]]]:
    for key, result in group:
        if result is not None:
            yield key, result


def _certificates(given: Given) -> Certificates | None:
    """What the flags name. Raises `UsageError` for one or two of them, `BadInputError` for an exposed key."""
    paths = [given[name] for name in ("tls_ca", "tls_cert", "tls_key")]
    if not any(paths):
        return None
    if None in paths:
        raise UsageError("--tls-ca, --tls-cert and --tls-key belong together", where="--tls-ca")
    require_private_file(given["tls_key"], "the key of the certificate")
    return Certificates(*paths)
