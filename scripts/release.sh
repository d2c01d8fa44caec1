#!/usr/bin/env bash
# Builds a release into the folder given: the daemon, its bill of materials, a
# Debian package, and the checksums of all; and in the folder cli the command line,
# oneclaw, for each system that it is for.
#     scripts/release.sh OUT
# RELEASE_KEY_FILE, of `oneclawd update keygen`, signs a bundle of them for machines
# without a network. RELEASE_PUBLIC_KEY is built in as a key that is trusted for
# the releases after; UPGRADE_FROM is the oldest version that this one may replace,
# MEASUREMENT what an attested machine reports that boots it.
# The same source gives the same bytes, wherever it lies and whenever it is built,
# with the same versions of Go, gcc, libc and dpkg. VERSION and SOURCE_DATE_EPOCH
# come from the commit; where there is no git, set them.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

cd "$(dirname "$0")/.."
out=$1
: "${VERSION:=$(git describe --tags --always --dirty)}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
export VERSION SOURCE_DATE_EPOCH
arch=$(go env GOARCH)
commit=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
key=${RELEASE_KEY_FILE:+$(realpath "$RELEASE_KEY_FILE")}
tags=$(sed -n 's/^TAGS *:= *//p' Makefile) # those of every other build

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)

# cgo, since PKCS#11 libraries are loaded with dlopen, and so dynamic on libc. The
# flags for C are set here: what the builder has in the environment would show.
# No build id of Go's or of the linker's: both hash more than the source.
env CGO_ENABLED=1 CGO_CFLAGS='-O2 -g0 -fstack-protector-strong -D_FORTIFY_SOURCE=2' CGO_LDFLAGS='-Wl,-z,relro,-z,now' GOFLAGS= GOAMD64=v1 \
	go build -trimpath -buildvcs=false -tags="$tags" -buildmode=pie \
	-ldflags "-s -w -buildid= -B none -linkmode=external -X main.version=$VERSION -X main.releaseKey=${RELEASE_PUBLIC_KEY:-}" \
	-o "$out/oneclawd" ./cmd/oneclawd

# The command line needs no C, and so is built for others from here.
mkdir "$out/cli"
for system in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
	os=${system%/*} name=oneclaw-${system/\//-}
	[[ $os != windows ]] || name+=.exe
	env CGO_ENABLED=0 GOOS="$os" GOARCH="${system#*/}" GOFLAGS= GOAMD64=v1 \
		go build -trimpath -buildvcs=false -tags="$tags" -ldflags "-s -w -buildid= -X main.version=$VERSION" -o "$out/cli/$name" ./cmd/oneclaw
done

scripts/sbom.sh "$out/oneclawd" "$VERSION" >"$out/oneclawd.spdx.json"
scripts/sbom.sh "$out/cli/oneclaw-linux-$arch" "$VERSION" oneclaw >"$out/cli/oneclaw.spdx.json"
scripts/deb.sh "$out/oneclawd" "$out/cli/oneclaw-linux-$arch" "$out/oneclawd.spdx.json" "$out/cli/oneclaw.spdx.json" "$out"

mv "$out/oneclawd" "$out/oneclawd-linux-$arch"
(cd "$out/cli" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
cd "$out"
sha256sum -- *.deb oneclawd* >SHA256SUMS
cat SHA256SUMS
if [[ -n ${RELEASE_KEY_FILE:-} ]]; then
	"./oneclawd-linux-$arch" update bundle --key "$key" --out "oneclawd-$VERSION-linux-$arch.update" \
		--commit "$commit" --upgrade-from "${UPGRADE_FROM:-}" --measurement "${MEASUREMENT:-}" -- *.deb "oneclawd-linux-$arch" oneclawd.spdx.json SHA256SUMS
fi
