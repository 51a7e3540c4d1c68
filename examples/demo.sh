#!/bin/sh
# From a contract to a verified proof, and what becomes of a damaged one. Needs `near-tee` on the path.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
token=examples/contracts/fungible-token/fungible_token.wasm

say() { printf '\n== %s\n' "$1"; }
show() { printf '$ %s\n' "$*"; "$@"; }

say "A fungible token moves ten tokens from alice to bob, on a snapshot"
show near-tee run "$token" ft_transfer '{"receiver_id":"bob.near","amount":"10"}' \
  --state examples/token-snapshot.json --contract token.near --signer alice.near \
  --deposit '1 yoctoNEAR' --gas '30 Tgas'

say "The same call as a proof"
show near-tee prove "$token" ft_transfer '{"receiver_id":"bob.near","amount":"10"}' \
  --state examples/token-snapshot.json --contract token.near --signer alice.near \
  --deposit '1 yoctoNEAR' --gas '30 Tgas' -o "$work/transfer.ntb"

say "Whoever has only this file checks it: by executing it again, and without executing anything"
show near-tee verify "$work/transfer.ntb"
show near-tee verify --no-replay "$work/transfer.ntb"

say "One bit of it changed"
python3 - "$work/transfer.ntb" "$work/damaged.ntb" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
if show near-tee verify "$work/damaged.ntb"; then
  echo "the damaged bundle was accepted" >&2
  exit 1
fi
say "Refused, as it should be"
