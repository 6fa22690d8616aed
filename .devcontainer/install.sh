#!/bin/sh
# Prepares a Debian machine with Go and Node.js for make demo and make test: a C
# compiler, make and Git, and the dependencies of this repository. The development
# container runs it after its creation.
set -eu

cd "$(dirname -- "$0")/.."

missing=
for program in cc make git; do
  command -v "$program" >/dev/null 2>&1 || missing=yes
done
if [ -n "$missing" ]; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update
  $sudo apt-get install --yes --no-install-recommends build-essential ca-certificates curl git
fi

sh tools/requirements/check.sh go cc node npm
make deps
