#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time given
# as the first argument. Further arguments are build flags of the go command.
# What a target finds is kept in its package's testdata/fuzz: commit it with the
# fix.
set -euo pipefail

time=$1
shift
failed=0
while IFS=: read -r file func; do
	name=${func#func }
	name=${name%%(*}
	echo "== $(dirname "$file") $name"
	go test "$@" -run='^$' -fuzz="^$name\$" -fuzztime="$time" "./$(dirname "$file")" || failed=1
done < <(git ls-files -- '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9_]*\(')
exit $failed
