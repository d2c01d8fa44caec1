#!/usr/bin/env bash
# Puts a Debian package together:
#     scripts/deb.sh DAEMON CLI SBOM-OF-DAEMON SBOM-OF-CLI OUT
# VERSION is as git describes it, SOURCE_DATE_EPOCH the time of all files in it.
# Called by scripts/release.sh.
set -euo pipefail
umask 022

binary=$1 cli=$2 sbom=$3 clisbom=$4 out=$5
: "${VERSION:?}" "${SOURCE_DATE_EPOCH:?}"
arch=$(dpkg --print-architecture)
maintainer=${DEB_MAINTAINER:-oneclawd authors <oneclawd@oneclaw.invalid>}

# v1.2.3 is 1.2.3; 4 commits later it is 1.2.3+4.gHASH, which is newer; without a
# tag it is older than all that have one.
debian=${VERSION#v}
case $debian in
	[0-9]*.*) debian=${debian//-/+} ;;
	*) debian=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).${debian//-/+} ;;
esac

root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
put() { install -D -m "$1" "$2" "$root/$3"; }
share=usr/share/doc/oneclawd

put 755 "$binary" usr/bin/oneclawd
put 755 "$cli" usr/bin/oneclaw
put 644 packaging/oneclawd.service usr/lib/systemd/system/oneclawd.service
put 644 packaging/sysusers.conf usr/lib/sysusers.d/oneclawd.conf
put 644 packaging/tmpfiles.conf usr/lib/tmpfiles.d/oneclawd.conf
put 644 packaging/debian/default etc/default/oneclawd
put 644 packaging/debian/copyright $share/copyright
put 644 packaging/debian/lintian-overrides usr/share/lintian/overrides/oneclawd
put 644 "$sbom" $share/oneclawd.spdx.json
put 644 "$clisbom" $share/oneclaw.spdx.json
put 644 README.md $share/README.md
for page in install upgrade fips attestation backup cli; do put 644 docs/$page.md $share/$page.md; done
for drop_in in packaging/examples/*.conf; do put 644 "$drop_in" $share/examples/"${drop_in##*/}"; done
"$binary" config defaults >"$root/$share/examples/oneclawd.toml"

mkdir -p "$root"/usr/share/{man/man1,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
for program in oneclawd oneclaw; do
	go test -trimpath -buildvcs=false -count=1 -run='^TestManual$' "./cmd/$program" -manual "$root/usr/share/man/man1" >&2
	run=$root/usr/bin/$program
	"$run" completion bash >"$root/usr/share/bash-completion/completions/$program"
	"$run" completion zsh >"$root/usr/share/zsh/vendor-completions/_$program"
	"$run" completion fish >"$root/usr/share/fish/vendor_completions.d/$program.fish"
done

scripts/licenses.sh "$binary" "$cli" >"$root/$share/third-party-licenses"
{
	printf 'oneclawd (%s) unstable; urgency=medium\n\n' "$debian"
	for note in changelog/unreleased/*.md; do
		# The first paragraph, in Debian's form.
		sed -n '/^$/q;p' "$note" | tr '\n' ' ' | fold -s -w 72 | sed -e '1s/^/  * /' -e '1!s/^/    /' -e 's/ *$//'
		echo
	done
	printf '\n -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} >"$root/$share/changelog"
gzip -9n "$root/$share"/{third-party-licenses,changelog} "$root"/usr/share/man/man1/*

# What the binary takes from libc says which one it needs.
libc=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<-END
	Package: oneclawd
	Version: $debian
	Architecture: $arch
	Maintainer: $maintainer
	Section: admin
	Priority: optional
	Homepage: https://github.com/oneclaw/oneclawd
	Depends: libc6 (>= ${libc#GLIBC_}), systemd (>= 252)
	Recommends: ca-certificates
	Suggests: opensc, softhsm2
	Installed-Size: $(du -sk --apparent-size "$root" | cut -f1)
	Description: secrets for AI agents, on your own machine
	 oneclawd keeps secrets for AI agents: people store them, policies say which
	 agent may use which, keys stay in your HSM, and an audit log that cannot be
	 rewritten shows who read what.
	 .
	 oneclaw is the command line of those who use an appliance, here or elsewhere.
	 The daemon is not started before it is configured: install.md, in
	 /$share, says how.
END
echo /etc/default/oneclawd >"$root/DEBIAN/conffiles"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
for script in postinst prerm postrm; do put 755 packaging/debian/$script DEBIAN/$script; done

find "$root" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$root" "$out/oneclawd_${debian}_$arch.deb" >/dev/null
