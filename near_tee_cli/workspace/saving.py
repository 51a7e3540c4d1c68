"""Worlds saved: in whichever form, from memory or from a directory that they were read from."""

from near_tee_cli.errors import BadInputError
from near_tee_cli.runtime.block import BlockContext
from near_tee_cli.runtime.world import World
from near_tee_cli.state.path_store import PathStore
from near_tee_cli.workspace.atomic import write_file
from near_tee_cli.workspace.snapshot_files import Form, write_snapshot
from near_tee_cli.workspace.snapshots import MAX_ROWS, Snapshot, header_of, snapshot_of
from near_tee_cli.workspace.state_directory import StateDirectory, create_state


def save_world(world: World, path: str, *, form: Form, block: BlockContext | None, overwrite: bool = False) -> None:
    """Write `world`, after `block`, to `path`: a new directory, or a file.

    A world that was read from a directory is copied with what differs. Raises `WriteError`, and `BadInputError`
    (`too-large`) for more rows than one file takes.
    """
    if form is not Form.LMDB:
        write_file(path, write_snapshot(bounded_snapshot(world, block=block), form), overwrite=overwrite)
        return
    store = world.store
    if isinstance(store, PathStore) and isinstance(store.places, StateDirectory):
        store.places.copy(path, store=store, after=header_of(world, block=block))
    else:
        create_state(path, snapshot_of(world, block=block))


def advance_in_place(world: World, *, block: BlockContext | None) -> None:
    """Bring the directory that `world` was read from, and that is open for writing, to what it is now."""
    store = world.store
    if not (isinstance(store, PathStore) and isinstance(store.places, StateDirectory)):
        raise TypeError("the world was read from no directory")
    store.places.advance(store, header_of(world, block=block))


def is_on_disk(world: World) -> bool:
    """Whether `world` was read from a directory, so that all of it should never be listed."""
    return isinstance(world.store, PathStore)


def bounded_snapshot(world: World, *, block: BlockContext | None) -> Snapshot:
    """The snapshot of `world`, refused when it does not fit one file. Raises `BadInputError` (`too-large`)."""
    snapshot = snapshot_of(world, block=block)
    if len(snapshot.rows) > MAX_ROWS:
        raise BadInputError(
            f"a state of {len(snapshot.rows)} rows does not fit one file, at most {MAX_ROWS} do",
            code="too-large",
            hint="a name that ends in .lmdb makes a directory, which takes any number",
        )
    return snapshot
