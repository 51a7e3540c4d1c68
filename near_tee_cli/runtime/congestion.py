"""How receipts leave a chunk: sent on, or buffered when the limit of bytes is reached.

The limits are for sending from the only shard to itself: all the bandwidth that the scheduler grants, and gas
without bound, as holding a receipt back from oneself saves nobody's memory.

Mirrors nearcore: runtime/runtime/src/congestion_control.rs
"""

from near_tee_cli.errors import InconsistentStateError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.params.features import Feature
from near_tee_cli.primitives.integers import U64_MAX, saturating_sub
from near_tee_cli.primitives.schema.receipt import (
    YIELD_TAGS,
    ActionReceipt,
    Receipt,
    StateStoredReceipt,
    encode_receipt,
)
from near_tee_cli.runtime.bandwidth import request_for
from near_tee_cli.runtime.block import SHARD_ID, BandwidthRequest, CongestionInfo
from near_tee_cli.runtime.fees import receipt_gas
from near_tee_cli.runtime.queues import Buffers, DelayedQueue, Groups, load_groups, new_groups
from near_tee_cli.state.overlay import Overlay

_STORED_VERSION = 1
"""Version in which queued receipts are written; only this one is counted in groups."""


def congestion_gas(config: RuntimeConfig, receipt: Receipt) -> int:
    """Gas that a queue counts for a receipt: all that was bought for it; nothing for data, yields and the like."""
    body = receipt.body
    if not isinstance(body, ActionReceipt) or body.tag in YIELD_TAGS:
        return 0
    gas = receipt_gas(config, body.actions, receiver_id=receipt.receiver_id)
    if gas > U64_MAX:
        raise InconsistentStateError("the gas of a receipt overflows")
    return gas


def stored_receipt(config: RuntimeConfig, receipt: Receipt) -> StateStoredReceipt:
    """A receipt as queues store it."""
    return StateStoredReceipt(_STORED_VERSION, receipt, congestion_gas(config, receipt), len(encode_receipt(receipt)))


def counted(config: RuntimeConfig, stored: StateStoredReceipt) -> tuple[int, int]:
    """Gas and bytes that were counted for a queued receipt; of a plain one of old they are computed now."""
    if stored.version is None:
        return congestion_gas(config, stored.receipt), len(encode_receipt(stored.receipt))
    return stored.congestion_gas, stored.congestion_size


class Congestion:
    """The shard's congestion information while a chunk is applied: what is pushed is added, what is popped removed."""

    __slots__ = ("buffered_gas", "delayed_gas", "receipt_bytes")

    def __init__(self, info: CongestionInfo) -> None:
        self.delayed_gas = info.delayed_receipts_gas
        self.buffered_gas = info.buffered_receipts_gas
        self.receipt_bytes = info.receipt_bytes

    def final(self) -> CongestionInfo:
        """The information for the next chunk; with one shard that one is always the one allowed to send.

        Raises `InconsistentStateError` when more was removed than there was.
        """
        if min(self.delayed_gas, self.buffered_gas, self.receipt_bytes) < 0:
            raise InconsistentStateError("the queues hold more than the congestion information says")
        return CongestionInfo(self.delayed_gas, self.buffered_gas, self.receipt_bytes, SHARD_ID)


class DelayedReceipts:
    """The delayed queue with its share of the congestion information."""

    __slots__ = ("_config", "_congestion", "_queue")

    def __init__(self, config: RuntimeConfig, queue: DelayedQueue, *, congestion: Congestion) -> None:
        self._config = config
        self._queue = queue
        self._congestion = congestion

    def __len__(self) -> int:
        return len(self._queue)

    def push(self, receipt: Receipt) -> None:
        """Delay a receipt."""
        stored = stored_receipt(self._config, receipt)
        self._congestion.delayed_gas += stored.congestion_gas
        self._congestion.receipt_bytes += stored.congestion_size
        self._queue.push(stored)

    def pop(self) -> Receipt | None:
        """The receipt that has waited longest."""
        stored = self._queue.pop()
        if stored is None:
            return None
        gas, size = counted(self._config, stored)
        self._congestion.delayed_gas -= gas
        self._congestion.receipt_bytes -= size
        return stored.receipt


class ReceiptSink:
    """Takes every receipt that a chunk makes and is not run at once."""

    __slots__ = (
        "_buffers",
        "_clamp",
        "_config",
        "_congestion",
        "_gas_left",
        "_groups",
        "_size_left",
        "_state",
        "outgoing",
    )

    def __init__(self, config: RuntimeConfig, state: Overlay, *, congestion: Congestion, bandwidth: int) -> None:
        self.outgoing: list[Receipt] = []
        self._config = config
        self._state = state
        self._congestion = congestion
        self._size_left = bandwidth
        self._gas_left = U64_MAX
        self._clamp = Feature.CLAMP_OUTGOING_GAS_ADMISSION.enabled(config.protocol_version)
        self._buffers = Buffers(state)
        loaded = {shard: load_groups(state, shard) for shard in self._buffers.shards}
        self._groups: Groups | None = loaded.get(SHARD_ID)

    def send(self, receipt: Receipt) -> None:
        """Send a receipt, or buffer it when it exceeds what may still be sent."""
        gas = congestion_gas(self._config, receipt)
        size = len(encode_receipt(receipt))
        if self._try_forward(receipt, gas=gas, size=size):
            return
        self._congestion.receipt_bytes += size
        self._congestion.buffered_gas += gas
        if self._groups is None:
            self._groups = new_groups(self._state, SHARD_ID)
        self._groups.add(size, gas)
        self._buffers.push(SHARD_ID, StateStoredReceipt(_STORED_VERSION, receipt, gas, size))

    def forward_buffered(self) -> None:
        """Send what was buffered before, from the front, up to the first receipt that may not be sent."""
        forwarded = []
        for stored in self._buffers.items(SHARD_ID):
            gas, size = counted(self._config, stored)
            if not self._try_forward(stored.receipt, gas=gas, size=size):
                break
            self._congestion.receipt_bytes -= size
            self._congestion.buffered_gas -= gas
            forwarded.append((stored.version, size, gas))
        self._buffers.drop(SHARD_ID, len(forwarded))
        for version, size, gas in forwarded:
            if version == _STORED_VERSION:
                if self._groups is None:
                    raise InconsistentStateError("a buffered receipt belongs to no group")
                self._groups.subtract(size, gas)
        if self._buffers.length(SHARD_ID) == 0 and self._congestion.buffered_gas != 0:
            raise InconsistentStateError("no receipts are buffered, yet the congestion information counts their gas")

    def bandwidth_requests(self) -> tuple[BandwidthRequest, ...]:
        """What to ask the scheduler of the next block for."""
        waiting = self._buffers.length(SHARD_ID)
        if waiting == 0:
            return ()
        groups = self._groups
        sizes = groups.sizes() if groups is not None and groups.receipts == waiting else [self._config.max_receipt_size]
        request = request_for(self._config, sizes)
        return () if request is None else (request,)

    def _try_forward(self, receipt: Receipt, *, gas: int, size: int) -> bool:
        # NOTE: a receipt can grow past its limit after that was checked; such a one counts as if it had not.
        size = min(size, self._config.max_receipt_size)
        admission = min(gas, self._config.allowed_shard_outgoing_gas) if self._clamp else gas
        if self._gas_left < admission or self._size_left < size:
            return False
        self.outgoing.append(receipt)
        self._gas_left = saturating_sub(self._gas_left, gas)
        self._size_left -= size
        return True
