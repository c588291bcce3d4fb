# rexdeploy-remote-script
# Sends one line of commands to HAProxy's runtime socket and prints the answer. POSIX sh and one of socat, nc with -U,
# python3 and perl: whichever is there. Args: socket, commands, timeout_seconds.
# Exit 91: the socket may not be written, 92: none of the four is there, 93: HAProxy does not answer, 94: there is no socket.
socket=$1; commands=$2; limit=$3
refuse() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }
[ -S "$socket" ] || refuse 94 "$socket is no socket: is HAProxy running, with \"stats socket $socket level admin\"?"
[ -w "$socket" ] || refuse 91 "$socket cannot be written by $(id -un): give that user the group of the socket"

there() { command -v "$1" > /dev/null 2>&1; }
# The netcat of some systems knows no Unix sockets; the one that does says so in its own help.
unix_netcat() { there nc && nc -h 2>&1 | grep -Eq -e '-[[:alnum:]]*U'; }

if there socat; then
  printf '%s\n' "$commands" | socat -t "$limit" -T "$limit" - "UNIX-CONNECT:$socket"
elif unix_netcat; then
  printf '%s\n' "$commands" | nc -w "$limit" -U "$socket"
elif there python3; then
  python3 -c '
import socket, sys
path, commands, limit = sys.argv[1:]
link = socket.socket(socket.AF_UNIX)
link.settimeout(float(limit))
link.connect(path)
link.sendall(commands.encode() + b"\n")
while True:
    piece = link.recv(65536)
    if not piece:
        break
    sys.stdout.buffer.write(piece)
' "$socket" "$commands" "$limit"
elif there perl; then
  perl -MSocket -e '
my ($path, $commands, $limit) = @ARGV;
alarm $limit;
my $link;
socket($link, AF_UNIX, SOCK_STREAM, 0) and connect($link, pack_sockaddr_un($path)) or die "$path: $!\n";
syswrite $link, "$commands\n";
while (sysread $link, my $piece, 65536) { print $piece }
' "$socket" "$commands" "$limit"
else
  refuse 92 'none of socat, nc (netcat-openbsd), python3 and perl is installed: one of them has to talk to the socket'
fi || refuse 93 "HAProxy does not answer at $socket"
