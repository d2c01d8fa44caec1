#!/usr/bin/env bash
# Builds the release twice and fails if a byte differs: in other folders, at other
# times, with other caches, umasks, time zones and languages.
set -euo pipefail

cd "$(dirname "$0")/.."
VERSION=${VERSION:-$(git describe --tags --always --dirty)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export VERSION SOURCE_DATE_EPOCH

tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
one=$tmp/a two=$tmp/another/and-longer/folder
for copy in "$one" "$two"; do
	mkdir -p "$copy"
	git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract --directory="$copy"
done

(cd "$one" && scripts/release.sh "$one/out" >/dev/null)
# An empty cache: nothing of the first build is taken over.
(cd "$two" && umask 077 && env GOCACHE="$tmp/cache" TZ=Pacific/Auckland LANG=de_DE.UTF-8 LC_ALL= scripts/release.sh "$two/out" >/dev/null)

diff --recursive --brief "$one/out" "$two/out"
cat "$one/out/SHA256SUMS"
echo "The two builds are the same."
