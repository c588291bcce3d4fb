/**
 * The program that is rolled out: one process that listens about 20 ms after it was started, so that what is measured is
 * the roll-out and not its start. The sandbox's own sample app takes some 150 ms: Node twice.
 */
import { writeFileSync } from 'node:fs';

/** Perl with its built-in socket module is up in 4 to 8 ms; the pause makes it about 20. */
export const APP_PROGRAM = `#!/usr/bin/perl
# Usage: app.pl --name=<mark> <address> <port>: answers every request with its version and directory.
use strict; use Socket; use Cwd;
my (undef, $address, $port) = @ARGV;
open(my $file, '<', 'version.txt') or die "version.txt: $!"; my $version = <$file>; close $file; chomp $version;
my $release = getcwd();
$SIG{TERM} = sub { exit 0 };
select(undef, undef, undef, 0.012);
socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in($port, inet_aton($address))) or die "bind $address:$port: $!";
listen($server, 128) or die "listen: $!";
$SIG{PIPE} = 'IGNORE';
while (1) {
  accept(my $client, $server) or next;
  sysread($client, my $request, 8192);
  my $body = "{\\"version\\":\\"$version\\",\\"release\\":\\"$release\\"}\\n";
  my $length = length $body;
  syswrite($client, "HTTP/1.0 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: $length\\r\\nConnection: close\\r\\n\\r\\n$body");
  close $client;
}
`;

/** Its start/stop script: no pause where a look can do, as in a good unit. */
export function writeQuickService(instance) {
  const { service, process: mark, programDir, host, port, logFile, hostDir } = instance;
  writeFileSync(
    service,
    `#!/bin/sh
# Usage: ${service} start|stop
pid_file='${hostDir}/var/run/${instance.key}.pid'
# A process that has ended and was not collected yet has a number, but no program.
alive() { [ -e "/proc/$pid/exe" ]; }
running() { [ -r "$pid_file" ] && read -r pid < "$pid_file" && alive; }
case "$1" in
  start)
    running && exit 0
    cd '${programDir}' || exit 1
    setsid perl app.pl --name='${mark}' '${host}' '${port}' >> '${logFile}' 2>&1 < /dev/null &
    echo $! > "$pid_file" ;;
  stop)
    running || exit 0
    kill "$pid"
    while alive; do sleep 0.002; done ;;
  *) exit 2 ;;
esac
`,
    { mode: 0o755 },
  );
}
