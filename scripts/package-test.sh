#!/usr/bin/env bash
# Tests the Debian package in a folder that scripts/release.sh filled:
#     scripts/package-test.sh RELEASE
# It is unpacked into a root of its own; nothing is installed on this machine.
set -euo pipefail
umask 022

cd "$(dirname "$0")/.."
release=$(cd "$1" && pwd)
deb=$(echo "$release"/*.deb)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
unit=$root/usr/lib/systemd/system/oneclawd.service

step() { echo "== $*"; }
fail() { echo "$*" >&2; exit 1; }

step checksums
(cd "$release" && sha256sum --check --quiet SHA256SUMS)
(cd "$release/cli" && sha256sum --check --quiet SHA256SUMS)
[[ $(ls "$release/cli" | xargs) == "SHA256SUMS oneclaw-darwin-amd64 oneclaw-darwin-arm64 oneclaw-linux-amd64 oneclaw-linux-arm64 oneclaw-windows-amd64.exe oneclaw-windows-arm64.exe oneclaw.spdx.json" ]] || fail "the command line is not there for all systems"

step files
dpkg-deb --extract "$deb" "$root"
dpkg-deb --control "$deb" "$tmp/control"
(cd "$root" && md5sum --check --quiet "$tmp/control/md5sums")
cmp "$root/usr/bin/oneclawd" "$release"/oneclawd-linux-*
while read -r conffile; do
	[[ -f $root$conffile ]] || fail "$conffile is a conffile that is not there"
done <"$tmp/control/conffiles"
[[ -z $(dpkg-deb --contents "$deb" | grep -v ' root/root ' || true) ]] || fail "files that are not root's"
for script in "$tmp"/control/{postinst,prerm,postrm}; do sh -n "$script"; done

step the binary
oneclawd=$root/usr/bin/oneclawd
"$oneclawd" version
config=$root/usr/share/doc/oneclawd/examples/oneclawd.toml
# As shipped it is refused: somebody has to say which HSM, and whether to attest.
if env -i "$oneclawd" config check --config "$config" >/dev/null 2>&1; then fail "the example is accepted before anybody chose"; fi
env -i "$oneclawd" config check --config "$config" --set attest.mode=none --set hsm.library=/usr/lib/softhsm/libsofthsm2.so >/dev/null
[[ $(readelf -d "$oneclawd" | grep NEEDED | grep -vcE 'lib(c|pthread|dl|resolv)\.so') == 0 ]] || fail "it needs more than libc"

step the command line
oneclaw=$root/usr/bin/oneclaw
cmp "$oneclaw" "$release/cli/oneclaw-linux-$(dpkg --print-architecture)"
[[ $("$oneclaw" version) == "$("$oneclawd" version)" ]] || fail "the two are of different versions"
[[ $(readelf -d "$oneclaw" 2>/dev/null | grep -c NEEDED) == 0 ]] || fail "oneclaw is not static"
echo "Bring the printed agenda." | env -i HOME="$tmp" "$oneclaw" inspect | grep -q '^-: clean'

step the signed bundle
(
	cd "$tmp"
	"$oneclawd" update keygen test --out release.key >release.pub
	"$oneclawd" update keygen other --out other.key >other.pub
	"$oneclawd" update bundle --key release.key --out a.update --commit test "$deb" "$release"/oneclawd-linux-* "$release/oneclawd.spdx.json" "$release/SHA256SUMS"
	"$oneclawd" update verify a.update --key release.pub --extract new | grep -q '^next .*apt install'
	(cd new && sha256sum --check --quiet SHA256SUMS)
	cmp "new/${deb##*/}" "$deb"
	if "$oneclawd" update verify a.update --key other.pub 2>said; then fail "a bundle that a stranger signed is accepted"; fi
	grep -q 'not signed by a key that is trusted' said
	printf '\xff' | dd of=a.update bs=1 seek=$(($(stat -c %s a.update) / 2)) conv=notrunc status=none
	if "$oneclawd" update verify a.update --key release.pub --extract more 2>said; then fail "a damaged bundle is accepted"; fi
	grep -q 'not the file that was signed' said
	[[ ! -e more ]]
)

step the bill of materials
bill=$root/usr/share/doc/oneclawd/oneclawd.spdx.json
cmp "$bill" "$release/oneclawd.spdx.json"
jq --exit-status --arg sum "$(sha256sum "$oneclawd" | cut -d' ' -f1)" '
	.spdxVersion == "SPDX-2.3" and .SPDXID == "SPDXRef-DOCUMENT" and .dataLicense == "CC0-1.0"
	and (.creationInfo.created | test("^[0-9-]{10}T[0-9:]{8}Z$"))
	and ([.packages[].SPDXID] | length == (unique | length) and all(test("^SPDXRef-[A-Za-z0-9.-]+$")))
	and ([.packages[] | select(.name and .versionInfo and .downloadLocation and .filesAnalyzed == false)] | length) == (.packages | length)
	and ([.relationships[] | .spdxElementId, .relatedSpdxElement] - [.packages[].SPDXID, "SPDXRef-DOCUMENT"] == [])
	and .packages[0].checksums[0].checksumValue == $sum
	and any(.packages[]; .name == "github.com/miekg/pkcs11")' "$bill" >/dev/null
[[ $(jq '.packages | length' "$bill") == $(($(go version -m -json "$oneclawd" | jq '.Deps | length') + 2)) ]] || fail "modules are missing"

step the service
# Drop-ins and the unit are parsed where they would be, with the programs they name.
mkdir -p "$root/bin" "$root/etc/oneclawd"
cp /bin/chgrp /bin/chmod "$root/bin/"
for drop_in in none "$root"/usr/share/doc/oneclawd/examples/*.conf; do
	rm -rf "$tmp/units" && mkdir -p "$tmp/units/oneclawd.service.d"
	sed -e "s|=/usr/bin/oneclawd|=$oneclawd|" -e '/^Documentation=/d' "$unit" >"$tmp/units/oneclawd.service"
	[[ $drop_in == none ]] || cp "$drop_in" "$tmp/units/oneclawd.service.d/"
	said=$(SYSTEMD_UNIT_PATH="$tmp/units:" systemd-analyze verify --man=no "$tmp/units/oneclawd.service" 2>&1 | grep -F oneclawd || true)
	[[ -z $said ]] || fail "$drop_in: $said"
done
# 2.0 of 10, without a drop-in.
systemd-analyze security --offline=true --threshold=20 "$unit" | tail -1

step the user and its folders
if [[ $(id -u) == 0 ]]; then
	systemd-sysusers --root="$root" oneclawd.conf
	systemd-tmpfiles --root="$root" --create oneclawd.conf
	[[ $(stat -c %a "$root/var/lib/oneclawd") == 700 && $(stat -c %a "$root/etc/oneclawd") == 750 ]] || fail "wrong modes"
else
	systemd-sysusers --dry-run --root="$root" oneclawd.conf >/dev/null
fi

step the maintainer scripts
# In an overlay over this machine's files, in a namespace of its own: dpkg writes to
# memory only. That takes root and overlayfs.
installed() {
	mount -t tmpfs tmpfs "$tmp/over"
	mkdir "$tmp"/over/{upper,work,root}
	mount -t overlay overlay -o "lowerdir=/,upperdir=$tmp/over/upper,workdir=$tmp/over/work" "$tmp/over/root" || return 0
	mount -t proc proc "$tmp/over/root/proc"
	mount --bind /dev "$tmp/over/root/dev"
	rm -rf "$tmp/over/root/run/systemd/system" # nobody is to be told to start anything
	cp "$deb" "$tmp/over/root/oneclawd.deb"
	chroot "$tmp/over/root" bash -euc '
		dpkg --install --force-depends /oneclawd.deb
		[[ $(stat -c %U:%G:%a /var/lib/oneclawd /etc/oneclawd | xargs) == "oneclawd:oneclawd:700 root:oneclawd:750" ]]
		oneclawd version
		[[ ! -e /etc/systemd/system/multi-user.target.wants/oneclawd.service ]] # not enabled
		echo "# mine" >>/etc/default/oneclawd
		touch /var/lib/oneclawd/kept
		dpkg --install --force-depends /oneclawd.deb
		grep -q "^# mine" /etc/default/oneclawd
		dpkg --remove oneclawd
		[[ -e /etc/default/oneclawd && ! -e /usr/bin/oneclawd ]]
		dpkg --purge oneclawd
		[[ -e /var/lib/oneclawd/kept && ! -e /etc/default/oneclawd ]]'
	touch "$release/.installed"
}
rm -f "$release/.installed"
if [[ $(id -u) == 0 ]]; then
	mkdir "$tmp/over"
	export tmp deb release
	export -f installed
	unshare --mount bash -euo pipefail -c installed >"$tmp/dpkg.log" 2>&1 || { cat "$tmp/dpkg.log" >&2; fail "the maintainer scripts do not work"; }
fi
if [[ -e $release/.installed ]]; then rm "$release/.installed"; else echo "skipped: needs root and overlayfs"; fi

step man pages and completions
for page in "$root"/usr/share/man/man1/*.gz; do
	zcat "$page" | mandoc -Tlint -Werror >/dev/null || fail "$page"
done
for program in oneclawd oneclaw; do
	[[ -s $root/usr/share/man/man1/$program.1.gz ]] || fail "$program has no man page"
	bash -n "$root/usr/share/bash-completion/completions/$program"
	grep -q "^#compdef $program\$" "$root/usr/share/zsh/vendor-completions/_$program"
	grep -q "complete -c $program " "$root/usr/share/fish/vendor_completions.d/$program.fish"
done

step lintian
lintian --allow-root --fail-on error,warning "$deb"
echo "The package is good."
