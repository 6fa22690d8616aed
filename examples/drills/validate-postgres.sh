#!/bin/sh
# Validates the files of a PostgreSQL server that a restore drill has restored, and
# answers the drill. It needs the Azure CLI, signed in with Storage Blob Data Reader on
# the account, pg_restore and azbackupflow.
#
#   validate-postgres.sh OPERATION
set -eu

operation=${1:?usage: validate-postgres.sh OPERATION}
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

target=$(azbackupflow status "$operation" --output json | jq -er '.validation.target')
account=$(printf '%s' "$target" | sed 's|.*/storageAccounts/\([^/]*\)/.*|\1|')
container=${target##*/}

answer() {
  azbackupflow drills answer "$operation" --result "$1" --text "$2" --target "$target"
}

az storage blob download-batch --auth-mode login --account-name "$account" --source "$container" --destination "$files" --only-show-errors >/dev/null

dumps=0
tables=0
for file in $(find "$files" -type f); do
  # Roles and settings are plain SQL, which pg_restore does not list.
  if ! list=$(pg_restore --list "$file" 2>"$files.err"); then
    if head -c 5 "$file" | grep -q PGDMP; then
      answer Failed "pg_restore cannot list $(basename "$file")"
      exit 1
    fi
    continue
  fi
  dumps=$((dumps + 1))
  tables=$((tables + $(printf '%s\n' "$list" | grep -c ' TABLE DATA ' || true)))
done
rm -f "$files.err"

if [ "$dumps" -eq 0 ]; then
  answer Failed "the container has no dump"
  exit 1
fi
answer Successful "$dumps dumps with the data of $tables tables"
