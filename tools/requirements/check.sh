#!/bin/sh
# Checks that the programs named as arguments (go, cc, node, npm) are installed and new
# enough. Prints each that is not: its name, the version that is needed, and how to get
# it. Exits with 1 if there is one.
#
#   sh tools/requirements/check.sh go cc node npm
#
# The Go version comes from go.mod. The environment variables GO, NODE and NPM name
# other programs, as in the Makefile.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
go_needed=$(sed -n 's/^go //p' "$root/go.mod")
node_needed=20
missing=0

# report NAME PROBLEM NEEDED HOW
report() {
  [ "$missing" -eq 1 ] || echo "Some programs that this needs are missing or too old:" >&2
  missing=1
  printf '\n  %s: %s\n    needed: %s\n    get it: %s\n' "$1" "$2" "$3" "$4" >&2
}

# older VERSION NEEDED: whether VERSION is lower than NEEDED, number by number.
older() {
  lowest=$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
  [ "$lowest" = "$1" ] && [ "$1" != "$2" ]
}

check_go() {
  how="https://go.dev/dl/, or \"brew install go\" on macOS"
  if ! command -v "${GO:-go}" >/dev/null 2>&1; then
    report go "not found in PATH" "Go $go_needed or newer" "$how"
    return
  fi
  # In this folder, Go 1.21 and newer downloads the version that go.mod asks for, unless
  # GOTOOLCHAIN forbids it.
  found=$(cd "$root" && "${GO:-go}" env GOVERSION 2>/dev/null)
  if [ -z "$found" ]; then
    found=$(cd / && GOTOOLCHAIN=local "${GO:-go}" env GOVERSION 2>/dev/null)
  fi
  found=$(printf '%s' "${found:-unknown}" | sed -e 's/^go//' -e 's/[^0-9.].*//')
  if [ -z "$found" ] || older "$found" "$go_needed"; then
    report go "version ${found:-unknown} is too old" "Go $go_needed or newer" "$how"
  fi
}

# The race detector, which "make test" uses, is linked by a C compiler.
check_cc() {
  compiler=${CC:-}
  if [ -z "$compiler" ] && command -v "${GO:-go}" >/dev/null 2>&1; then
    compiler=$(cd / && GOTOOLCHAIN=local "${GO:-go}" env CC 2>/dev/null)
  fi
  for name in cc gcc clang; do
    if [ -z "$compiler" ] && command -v "$name" >/dev/null 2>&1; then
      compiler=$name
    fi
  done
  compiler=${compiler:-cc}
  if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    report "$compiler" "no C compiler found in PATH" "gcc or clang, any version" \
      "\"apt-get install build-essential\" on Debian and Ubuntu, \"xcode-select --install\" on macOS"
  fi
}

check_node() {
  how="https://nodejs.org, \"apt-get install nodejs npm\" on Debian and Ubuntu, or \"brew install node\" on macOS"
  if ! command -v "${NODE:-node}" >/dev/null 2>&1; then
    report node "not found in PATH" "Node.js $node_needed or newer" "$how"
    return
  fi
  found=$("${NODE:-node}" --version 2>/dev/null | sed -e 's/^v//' -e 's/[^0-9.].*//')
  if [ -z "$found" ] || older "$found" "$node_needed"; then
    report node "version ${found:-unknown} is too old" "Node.js $node_needed or newer" "$how"
  fi
}

check_npm() {
  if ! command -v "${NPM:-npm}" >/dev/null 2>&1; then
    report npm "not found in PATH" "the npm of your Node.js" \
      "it comes with Node.js; on Debian and Ubuntu, \"apt-get install npm\""
  fi
}

for program in "$@"; do
  case $program in
  go | cc | node | npm) "check_$program" ;;
  *)
    echo "unknown program \"$program\": go, cc, node and npm can be checked" >&2
    exit 2
    ;;
  esac
done

if [ "$missing" -eq 1 ]; then
  printf '\n"make unit" needs Go alone.\n' >&2
fi
exit "$missing"
