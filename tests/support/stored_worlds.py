"""Worlds that live in a state directory: every block is written in one transaction, and read from disk again."""

import os
import tempfile

from near_tee_cli.runtime.world import World
from near_tee_cli.workspace.snapshots import header_of, world_of
from near_tee_cli.workspace.state_directory import StateDirectory, create_state

NEXT = ("in_flight", "congestion_info", "bandwidth_requests")

MEMORY = "/dev/shm"


def scratch():
    """A directory for one example, where syncing takes no time if there is such a place."""
    return tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None)


class StoredWorld(World):
    """A world in the directory `path`, opened again after every block. `close` it."""

    __slots__ = ("directory",)

    def __init__(self, path):
        self.directory = StateDirectory(path, writing=True)
        world = world_of(self.directory.snapshot)
        super().__init__(
            world.config,
            world.chain,
            store=world.store,
            root=world.root,
            **{name: getattr(world, name) for name in NEXT},
        )

    def produce_block(self, block, **inputs):
        transition = super().produce_block(block, **inputs)
        self.directory.advance(self.store, header_of(self, block=block))
        self.directory.close()
        self.directory = StateDirectory(self.directory.path, writing=True)
        world = world_of(self.directory.snapshot)
        self.store, self.root = world.store, world.root
        for name in NEXT:
            setattr(self, name, getattr(world, name))
        return transition

    def close(self):
        self.directory.close()


def stored(path, snapshot):
    """The world of `snapshot`, from the new directory `path`."""
    create_state(path, snapshot)
    return StoredWorld(path)
