# rexdeploy-remote-script
# Unpacks what is sent and checks it against its SHA-256. Functions for stage.sh; common.sh comes after this text and
# before they are called. Lists are read below the working directory: a line `<sha256> *<path>` for each file, as both
# programs write it.

# openssl uses the processor's own instructions: 1.6 GB/s on one core where sha256sum of coreutils makes 0.3. Whatever it
# does not confirm, or where there is none, sha256sum looks at, which has the last word and names what differs. $1 = list
check_sums() {
  [ -s "$1" ] || return 0
  if command -v openssl > /dev/null && cut -b 67- "$1" | xargs -d '\n' openssl dgst -sha256 -r 2> /dev/null | cmp -s - "$1"; then
    return 0
  fi
  sha256sum --quiet --strict -c "$1" >&2
}

# Unpacks stdin and checks lists meanwhile. Each list follows the files that it tells of, so when tar begins the next one,
# the list and its files are whole. $1 = packing, $2 = number of lists. Fails with 1 for what differs and with 2 where tar
# failed.
unpack() {
  if [ "$2" -eq 0 ]; then
    untar_all "$1" || return 2
    return 0
  fi
  { untar_all "$1" -v || echo control/broken; } | grep --line-buffered '^control/[bs]' | {
    begun=0; differs=; broken=
    while IFS= read -r entry; do
      case $entry in
        control/broken) broken=yes ;;
        control/sums-*)
          [ "$begun" -eq 0 ] || check_sums "control/sums-$begun" || differs=yes
          begun=$((begun + 1))
          ;;
      esac
    done
    [ -z "$broken" ] || exit 2
    check_sums "control/sums-$begun" || differs=yes
    [ -z "$differs" ] && [ "$begun" -eq "$2" ]
  }
}

# $1 = none, gzip, or the length of a tar that is not packed, after which a line tells how the second tar is
# $2 = -v or nothing
# shellcheck disable=SC2086
untar_all() {
  case $1 in
    none) untar $2 ;;
    gzip) untar -z $2 ;;
    *) head -c "$1" | untar $2 && IFS= read -r second && untar_all "$second" $2 ;;
  esac
}
# Not with -C, which takes a backslash in a name for something else. The host's pipe gives at most 64 KiB at once.
untar() { tar -x -b 128 -p -f - --no-same-owner "$@"; }
