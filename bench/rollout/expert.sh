#!/bin/bash
# What an expert would write by hand, and as fast as such a script gets: all connections opened at once and kept, the
# quickest key exchange and cipher, unchanged files hard-linked on the host, one command per change, no pause anywhere.
# Usage: expert.sh <tuned|ahead|tar|careful> <source> <release> <version>    instances on stdin, tab-separated:
#   key address ssh-port program-dir service server-line health-url
# tuned  each instance in turn: rsync --link-dest, out of the balancer, switched, started, healthy, back
# ahead  the same, copied to all hosts at once before the first leaves the balancer
# tar    as tuned, with the whole program in a plain tar stream
# careful as tuned, but nginx's configuration is tested before each reload, and no app is stopped while workers of nginx still
#        know it as in rotation
# From the environment: LOGIN KEY KNOWN_HOSTS CONTROL (short folder for sockets) LB_ADDRESS LB_PORT UPSTREAM NGINX (pid)
# Answer: `out <key> <time>` and `in <key> <time>` around the time that each one is out of rotation.
# The connections are left to the caller.
set -euo pipefail
mode=$1 source=$2 release=$3 version=$4
ssh=(ssh -F none -i "$KEY" -o IdentitiesOnly=yes -o BatchMode=yes -o "UserKnownHostsFile=$KNOWN_HOSTS"
  -o KexAlgorithms=curve25519-sha256 -o Ciphers=aes128-gcm@openssh.com -o Compression=no)

open() { # <name> <address> <port>
  "${ssh[@]}" -o ControlMaster=yes -o "ControlPath=$CONTROL/$1" -E "$CONTROL/$1.log" -fN -p "$3" -l "$LOGIN" "$2" > /dev/null 2>&1 || { cat "$CONTROL/$1.log" >&2; return 1; }
}
on() { # <name> <command>
  ssh -F none -o "ControlPath=$CONTROL/$1" host "$2"
}
stage() { # <key> <program dir>
  case $mode in
    tar) tar -C "$source" -cf - . | on "$1" "mkdir -p '$2_$release' && tar -C '$2_$release' -xf -" ;;
    *)
      rsync -a --delete --link-dest="$2/" -e "ssh -F none -o ControlPath=$CONTROL/$1" \
        "$source/" "host:$2_$release/" 2>&1 | { grep -v 'link-dest arg does not exist' || true; } >&2
      ;;
  esac
}
if [ "$mode" = careful ]; then
  reload='nginx -t -q && nginx -s reload'
  before="old=\$(pgrep -P $NGINX)"
  # Its master tells the old ones to end 0.1 s after it has started new ones; they have another title then.
  until_out="while pgrep -P $NGINX -f 'worker process\$' | grep -qxF \"\$old\"; do sleep 0.005; done"
else
  reload='nginx -s reload' before=: until_out=:
fi
# The server's line in the upstream file is marked down, or as it was; nginx loads it without losing a request.
leave() { on lb "sed -i 's/^\( *server $1\);/\1 down;/' '$UPSTREAM' && $before && $reload && $until_out"; }
return_() { on lb "sed -i 's/^\( *server $1\) down;/\1;/' '$UPSTREAM' && $reload"; }
switch() { # <key> <program dir> <service> <health url>
  on "$1" "'$3' stop && ln -s '$2_$release' '$2.new' && mv -T '$2.new' '$2' && '$3' start &&
    for i in \$(seq 500); do
      case \$(curl -fs '$4') in *'\"$version\"'*) exit 0 ;; esac
      sleep 0.01
    done; exit 1"
}

keys=() addresses=() ports=() dirs=() services=() servers=() urls=()
while IFS=$'\t' read -r key address port dir service server url; do
  keys+=("$key") addresses+=("$address") ports+=("$port") dirs+=("$dir") services+=("$service") servers+=("$server") urls+=("$url")
done

opening=()
open lb "$LB_ADDRESS" "$LB_PORT" & opening+=($!)
for at in "${!keys[@]}"; do open "${keys[at]}" "${addresses[at]}" "${ports[at]}" & opening+=($!); done
for pid in "${opening[@]}"; do wait "$pid"; done

if [ "$mode" = ahead ]; then
  staging=()
  for at in "${!keys[@]}"; do stage "${keys[at]}" "${dirs[at]}" & staging+=($!); done
  for pid in "${staging[@]}"; do wait "$pid"; done
fi
for at in "${!keys[@]}"; do
  key=${keys[at]}
  [ "$mode" = ahead ] || stage "$key" "${dirs[at]}"
  echo "out $key $EPOCHREALTIME"
  leave "${servers[at]}"
  switch "$key" "${dirs[at]}" "${services[at]}" "${urls[at]}"
  return_ "${servers[at]}"
  echo "in $key $EPOCHREALTIME"
done
