# rexdeploy-remote-script
# Asks an address from this host. Args: most bytes of the body. Stdin: the request as a configuration of curl, since
# arguments, and with them secret headers, would show in the process list.
# Answer: the status in a line, then the body. Exit 91: no curl, 92: no temporary file, 93: no answer.
bytes=$1
command -v curl > /dev/null || { echo 'curl is not installed on the host' >&2; exit 91; }
dir=$(mktemp -d) || exit 92
trap 'rm -rf "$dir"' EXIT
{ curl -q -K - -D "$dir/head"; echo $? > "$dir/code"; } | head -c "$bytes" > "$dir/body"
# 23: it could not write on, because enough of the body is here.
case $(cat "$dir/code") in 0 | 23) ;; *) exit 93 ;; esac
sed -n 's|^HTTP/[^ ]* \([0-9]*\).*|\1|p' "$dir/head" | tail -n 1
cat "$dir/body"
