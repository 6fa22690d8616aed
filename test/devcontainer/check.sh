#!/bin/sh
# Proves that .devcontainer/install.sh is complete: runs it in a new Debian root file
# system that has only Go and Node.js, as the image of the development container has
# them, and then runs make with the given targets (demo and test by default).
#
#   sh test/devcontainer/check.sh [TARGET...]
#
# It needs root, debootstrap and about 3 GB in TMPDIR, and takes Go and Node.js from
# this machine. It does not start the container itself: azd and the Azure CLI, which
# the container also has, are not checked.
set -eu

[ "$(id -u)" -eq 0 ] || { echo "run this as root: it changes the root folder" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
[ "$#" -gt 0 ] || set -- demo test
root=$(mktemp -d)
chmod 755 "$root" # apt downloads as another user
clean_up() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf "$root"
}
trap clean_up EXIT

debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
for file in /etc/resolv.conf /etc/hosts; do
  cp "$file" "$root$file"
done
mount -t proc proc "$root/proc"

# The image and its feature for Node.js contain these.
mkdir -p "$root/usr/local/lib/node_modules"
cp -a "$(go env GOROOT)" "$root/usr/local/go"
cp -L "$(command -v node)" "$root/usr/local/bin/node"
cp -a "$(npm root --global)/npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"

# Certificates that this machine trusts, for networks that have their own.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/certificates.pem"

mkdir -p "$root/workspace"
git -C "$repository" archive HEAD | tar -x -C "$root/workspace"

# shellcheck disable=SC2016 # the inner shell expands the arguments
chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/go/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  SSL_CERT_FILE=/certificates.pem NODE_EXTRA_CA_CERTS=/certificates.pem GOPROXY="$(go env GOPROXY)" GOSUMDB="$(go env GOSUMDB)" npm_config_registry="$(npm config get registry)" \
  sh -c 'cd /workspace && sh .devcontainer/install.sh && make "$@"' sh "$@"
echo "The installation is complete for: make $*"
