# rexdeploy-remote-script
# Runs a health command of the configuration. Args: seconds at most. Stdin: instance and host (a line each), then the
# command, whose own stdin is empty. All that it writes comes on stderr; its exit code is ours, 124 = it took too long.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
IFS= read -r REX_INSTANCE; IFS= read -r REX_HOST
export PATH REX_INSTANCE REX_HOST
command=$(cat)
timeout -k 1 "$1" sh -c "$command" < /dev/null >&2
code=$?
[ "$code" -eq 124 ] && echo "it did not end within $1 s" >&2
exit "$code"
