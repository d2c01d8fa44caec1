#!/usr/bin/env bash
# Installs what building and testing oneclawd needs, where that is Debian, and
# says what to install where it is not: for "test", which is all, for "run", or for
# "release", which builds and tests the Debian package.
# Does nothing if everything is there.
set -euo pipefail

if ! command -v go >/dev/null; then
	cat >&2 <<-'EOF'
		Go is missing. oneclawd needs the version in go.mod or a newer one:
		    https://go.dev/dl/   (unpack it and put its bin folder in PATH)
		Debian's own golang package may be too old.
	EOF
	exit 1
fi

# gcc and libc6-dev: PKCS#11 libraries are loaded through C, and so is the race
# detector. softhsm2: the token of tests and of `make dev`. opensc: pkcs11-tool,
# to look into a token. p11-kit: a token at the other end of a socket, which
# stands in for a network HSM.
packages=(gcc libc6-dev softhsm2 opensc p11-kit p11-kit-modules)
# curl: a test does what the README says. chromium: tests use the pages as people
# do. Mailpit, the mail server of tests, is built by the first that needs it.
[[ ${1:-test} == run || ${1:-test} == release ]] || packages+=(curl chromium)
# npm: tests speak to the daemon as clients written in JavaScript do, and with an
# identity provider; they bring the Node.js they need. Debian's packages are for
# machines that have no other.
[[ ${1:-test} == run || ${1:-test} == release ]] || command -v npm >/dev/null || packages+=(npm)
# jq: the bill of materials. binutils: which libc the binary needs. systemd: its unit
# is verified. lintian and mandoc: so are the package and the man pages.
[[ ${1:-test} != release ]] || packages=(gcc libc6-dev binutils dpkg-dev jq systemd lintian mandoc softhsm2)

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	if ! command -v gcc >/dev/null || ! command -v softhsm2-util >/dev/null; then
		cat >&2 <<-'EOF'
			This is not Debian, so nothing was installed. Install with your system's package
			manager: a C compiler, SoftHSM 2, OpenSC and p11-kit for PKCS#11, curl, npm
			and Chromium for the tests. Without SoftHSM oneclawd runs with its local key file, which is not an HSM.
		EOF
	fi
	exit 0
fi

missing=()
for p in "${packages[@]}"; do
	[[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null) == ii* ]] || missing+=("$p")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
	if ! command -v sudo >/dev/null; then
		echo "Missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -q || true # an old list may do
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
