#!/usr/bin/env bash
# Builds the image of a confidential VM: a kernel, and an initrd with everything
# else, so that one measurement covers all of it.
#     scripts/image.sh OUT
# DEB is the oneclawd package (default: the one in bin/release), EXTRA a folder that
# is laid over the root: etc/oneclawd with the configuration and the policy, and the
# HSM's library. With OVMF the measurement is printed, for VCPUS of type VCPU_TYPE.
# APPEND is the kernel's command line. DEBS keeps Debian's packages: with the same
# ones, and the same DEB and EXTRA, the image is the same, byte for byte.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

cd "$(dirname "$0")/.."
out=$1
: "${DEB:=$(ls bin/release/oneclawd_*_amd64.deb)}"
: "${DEBS:=bin/image-debs}" "${EXTRA:=}" "${OVMF:=}" "${VCPUS:=2}" "${VCPU_TYPE:=EPYC-v4}" "${APPEND:=console=ttyS0 quiet panic=-1}"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"

mkdir -p "$out" "$DEBS"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root tools=$work/tools
mkdir -p "$root" "$tools"

# The image has what the daemon needs to run and nothing to log in with: libc for
# the daemon and the HSM's library, busybox for what starts it. cpio is for here.
fetch() { # PACKAGE: prints its file
	local file
	file=$(find "$DEBS" -name "$1_*.deb" | sort | tail -1)
	[[ -n $file ]] || {
		(cd "$DEBS" && apt-get download -q "$1" >&2)
		file=$(find "$DEBS" -name "$1_*.deb" | sort | tail -1)
	}
	echo "$file"
}
# Not Debian's cloud kernel, which lacks the driver of the guest device.
kernel=$(find "$DEBS" -name 'linux-image-[0-9]*-amd64_*.deb' -printf '%f\n' | sed 's/_.*//' | sort -V | tail -1)
[[ -n $kernel ]] || kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/ *Depends: \(linux-image-[0-9]\)/\1/p' | head -1)
used=()
for p in "$kernel" busybox-static cpio libc6 libgcc-s1 libstdc++6 ca-certificates; do
	file=$(fetch "$p")
	used+=("$file")
	dpkg-deb -x "$file" "$work/$p"
done
dpkg-deb -x "$DEB" "$root"
cp -a "$work"/libc6/lib* "$work"/libgcc-s1/lib* "$work"/libstdc++6/usr "$root"
cp -a "$work"/libc6/usr/lib "$root/usr/" 2>/dev/null || true
mkdir -p "$root/sbin"
install -D "$work/busybox-static/bin/busybox" "$root/bin/busybox"
busybox=$work/busybox-static/bin/busybox
for applet in sh mount umount modprobe ip udhcpc start-stop-daemon mkdir chown chmod sleep poweroff reboot echo cat; do
	ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/modprobe" # where the kernel looks for it
mkdir -p "$root"/{dev,proc,sys,run,tmp,var/lib/oneclawd} "$root/etc/ssl/certs"
find "$work/ca-certificates/usr/share/ca-certificates/mozilla" -name '*.crt' | sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0::/:/bin/false\noneclawd:x:900:900::/var/lib/oneclawd:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\noneclawd:x:900:\n' >"$root/etc/group"
rm -rf "$root"/usr/share/{doc,man,lintian,locale,bash-completion,zsh,fish} "$root"/usr/lib/systemd

# Modules: the guest device, the disk for the data and the network, with what those
# need.
version=${kernel#linux-image-}
from=$work/$kernel to=$root/lib/modules/$version
"$busybox" depmod -b "$from" "$version"
take() { # FILE of a module, and what it needs
	[[ ! -e $to/$1 ]] || return 0
	install -D -m 644 "$from/lib/modules/$version/$1" "$to/$1"
	local need
	for need in $(sed -n "s|^$1:||p" "$from/lib/modules/$version/modules.dep"); do take "$need"; done
}
for m in sev-guest virtio_pci virtio_blk virtio_net ext4 crc32c_generic crc32c-intel af_packet; do
	file=$(sed -n "s|^\([^:]*/$m\.ko\):.*|\1|p" "$from/lib/modules/$version/modules.dep")
	[[ -n $file ]] || grep -q "/$m\.ko$" "$from/lib/modules/$version/modules.builtin" || { echo "$kernel has no $m" >&2; exit 1; }
	[[ -z $file ]] || take "$file"
done
cp "$from/lib/modules/$version"/modules.{order,builtin} "$to/"
"$busybox" depmod -b "$root" "$version"
ln -s /run/resolv.conf "$root/etc/resolv.conf"
install -m 755 packaging/image/init "$root/init"
install -D -m 755 packaging/image/udhcpc "$root/usr/share/udhcpc/default.script"
[[ -z $EXTRA ]] || cp -a "$EXTRA"/. "$root"/
[[ -f $root/etc/oneclawd/oneclawd.toml ]] || echo "warning: no etc/oneclawd/oneclawd.toml in EXTRA: the image will not start" >&2

find "$root" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$root" && find . -print0 | sort -z | "$work/cpio/bin/cpio" --null --create --format=newc --owner=0:0 --reproducible --quiet) |
	gzip -9n >"$out/initrd.img"
cp "$work/$kernel/boot/vmlinuz-$version" "$out/vmlinuz"
printf '%s' "$APPEND" >"$out/cmdline"
sha256sum "${used[@]}" "$DEB" | sed 's|[^ ]*/||' >"$out/packages"
(cd "$out" && sha256sum vmlinuz initrd.img cmdline)

[[ -n $OVMF ]] || {
	echo "no OVMF was given: measure the image with oneclawd attest measure" >&2
	exit 0
}
"$root/usr/bin/oneclawd" attest measure --ovmf "$OVMF" --kernel "$out/vmlinuz" --initrd "$out/initrd.img" --append "$APPEND" \
	--vcpus "$VCPUS" --vcpu-type "$VCPU_TYPE" | tee "$out/measurement"
