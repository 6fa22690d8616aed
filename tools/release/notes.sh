#!/bin/sh
# Prints the section of a version in CHANGELOG.md. Exits with 1 if there is none, so
# that no release is published without its changes.
#
#   sh tools/release/notes.sh 1.2.3
set -eu

version=${1:?usage: sh tools/release/notes.sh VERSION}
changelog=${CHANGELOG:-$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)/CHANGELOG.md}

notes=$(awk -v heading="## [$version]" '
  index($0, "## [") == 1 || /^\[[^]]+\]: / { found = index($0, heading) == 1; next }
  found { print }
' "$changelog" | sed -e '/./,$!d')
if [ -z "$notes" ]; then
  echo "CHANGELOG.md has no section \"## [$version]\"; move the entries of \"Unreleased\" there" >&2
  exit 1
fi
printf '%s\n' "$notes"
