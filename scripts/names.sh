#!/usr/bin/env bash
# Writes the lists of names that the detector of personal data knows anew from the package
# that they come from, of which the version is said here. It takes npm and a network.
set -euo pipefail

package=@faker-js/faker@10.6.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "$package" >/dev/null && tar xzf ./*.tgz)
node shroud/detect/pii/data/names.mjs "$work/package"
