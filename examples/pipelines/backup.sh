#!/bin/sh
# Backs up before a release. The step fails unless a new backup has succeeded.
#
#   backup.sh REQUEST KEY
#
# REQUEST is a request file, KEY names this run: a repeated run with the same key
# starts nothing, and fails. AZBACKUPFLOW_TIMEOUT limits the wait (6h by default).
# The app and the sign-in come from AZBACKUPFLOW_URL, AZBACKUPFLOW_SIGN_IN,
# AZBACKUPFLOW_AUDIENCE and AZBACKUPFLOW_FUNCTION_KEY.
set -u

request=$1
key=$2

azbackupflow start "$request" --key "$key" --require-new --wait \
  --timeout "${AZBACKUPFLOW_TIMEOUT:-6h}" --reason "${AZBACKUPFLOW_REASON:-pipeline}"
code=$?

case $code in
0) echo "Backed up. The release may continue." ;;
1) echo "The backup failed, or another error occurred. The lines above name the cause and what to do." ;;
2) echo "The request or the sign-in is wrong. Nothing was started." ;;
3) echo "The backup was canceled." ;;
4) echo "The backup did not end before its deadline." ;;
5) echo "The backup waits for an operator." ;;
6) echo "The backup still runs. It was not ready in time for this release." ;;
7) echo "azbackupflow could not be reached. The line above says whether the backup may have started." ;;
8) echo "Nothing was backed up: this key belongs to an earlier run." ;;
*) echo "azbackupflow ended with code $code." ;;
esac
exit "$code"
