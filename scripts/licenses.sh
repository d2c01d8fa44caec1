#!/usr/bin/env bash
# Prints the licences of all modules in Go binaries, and of Go itself:
#     scripts/licenses.sh BINARY...
# They ask to be handed on with them.
set -euo pipefail

heading() { printf '%s\n%s\n\n' "== $1" "$(printf '=%.0s' {1..78})"; }

heading "Go $(go env GOVERSION)"
cat "$(go env GOROOT)/LICENSE"
for binary; do go version -m -json "$binary"; done | jq -r '.Deps[] | (.Replace // .) | .Path + "@" + .Version' | LC_ALL=C sort -u | while read -r module; do
	dir=$(go mod download -json "$module" </dev/null | jq -r .Dir)
	found=0
	for file in "$dir"/{LICENSE,LICENCE,COPYING,NOTICE,PATENTS}*; do
		[[ -f $file ]] || continue
		printf '\n'
		heading "$module ${file##*/}"
		cat "$file"
		found=1
	done
	[[ $found == 1 ]] || { echo "scripts/licenses.sh: $module has no licence" >&2; exit 1; }
done
