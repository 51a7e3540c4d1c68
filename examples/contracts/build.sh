#!/bin/sh
# Rebuild the contracts of this directory; see README.md. Needs a Rust toolchain with the target wasm32-unknown-unknown.
set -eu
cd "$(dirname "$0")"
registry="${CARGO_HOME:-$HOME/.cargo}/registry/src"
for contract in status-message fungible-token offchain-worker; do
  # Panic messages name source files: paths of the building machine are cut off, so that the bytes are the same elsewhere.
  flags="--remap-path-prefix=$(pwd)=."
  for source in "$registry"/*; do
    flags="$flags --remap-path-prefix=$source=cargo"
  done
  (cd "$contract" && RUSTFLAGS="$flags" cargo build --locked --release --target wasm32-unknown-unknown)
  name=$(printf '%s' "$contract" | tr - _)
  cp "${CARGO_TARGET_DIR:-$contract/target}/wasm32-unknown-unknown/release/$name.wasm" "$contract/$name.wasm"
  chmod 644 "$contract/$name.wasm"
done
