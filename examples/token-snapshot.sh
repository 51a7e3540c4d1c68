#!/bin/sh
# Makes token-snapshot.json: alice owns a million tokens, bob and a shop are registered. Needs `near-tee` on the path.
#   token-snapshot.sh TARGET
set -eu
target=$1
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
token=contracts/fungible-token/fungible_token.wasm

near-tee run -q $token new '{"owner_id":"alice.near","total_supply":"1000000"}' \
  --contract token.near --signer token.near --state-out "$work/1.json"
near-tee run -q $token storage_deposit '{"account_id":"bob.near"}' --state "$work/1.json" \
  --contract token.near --signer alice.near --deposit '0.01 NEAR' --state-out "$work/2.json"
near-tee run -q $token storage_deposit '{"account_id":"shop.near"}' --state "$work/2.json" \
  --contract token.near --signer alice.near --deposit '0.01 NEAR' --state-out "$work/3.json"
# The shop is a contract that takes tokens: this call makes its account.
near-tee run -q wat/receiver.wasm ft_on_transfer '{"sender_id":"alice.near","amount":"0","msg":""}' \
  --state "$work/3.json" --contract shop.near --signer alice.near --state-out "$work/4.json"
near-tee state convert "$work/4.json" "$target" --to json --force -q
