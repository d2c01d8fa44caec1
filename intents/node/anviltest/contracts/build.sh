#!/bin/sh
# Compiles the contracts of this folder: build.sh, with npm and a network. What
# it writes is committed, so that tests need no compiler.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
npm install --prefix "$tools" --ignore-scripts --no-audit --no-fund --silent solc@0.8.30
for name in Token Reverter; do
	node "$tools/node_modules/solc/solc.js" --bin --optimize --output-dir "$tools" "$name.sol"
	cp "$tools/${name}_sol_$name.bin" "$name.bin"
done
