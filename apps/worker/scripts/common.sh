# rexdeploy-remote-script
# Put before every script. POSIX sh with GNU coreutils, findutils, tar and procps. Text on stdout is for the controller:
# one fact a line, name and value separated by a tab. Text on stderr is for people. Exit 90 and above: our own refusals.
# What is started for its users gets these back: an app in the wrong locale reads and writes other characters.
login_lc_all=${LC_ALL-}; login_umask=$(umask)
LC_ALL=C
export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH
umask 022
# A controller that went away must not end a script between two changes that belong together. Not ignored but caught, so
# that services which are started here get the signals as usual.
trap : PIPE HUP

say() { printf '%s\t%s\n' "$1" "$2"; }
refuse() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }

# A program costs a host more than what it does here: what the shell can do by itself, it does. Paths are absolute and end
# without a slash.
base_of() { printf '%s' "${1##*/}"; }
dir_of() { parent=${1%/*}; printf '%s' "${parent:-/}"; }
first_line() { IFS= read -r first < "$1" || [ -n "$first" ] || return 1; printf '%s' "$first"; }

# Process ids whose command line matches a pattern, as `pgrep -f`; never a script of ours, whose arguments may match too.
matching() { without_ours $(pgrep -f -- "$1"); }
without_ours() {
  files=
  for pid do files="$files /proc/$pid/cmdline"; done
  # All of them at a time, since an instance is out of rotation meanwhile. A process that ended has no command line; files of
  # /proc have no size.
  # shellcheck disable=SC2086
  [ -z "$files" ] || files=$(grep -La 'rexdeploy-remote-script' $files 2> /dev/null)
  [ -n "$files" ] || return 0
  # shellcheck disable=SC2086
  for file in $(grep -la . $files 2> /dev/null); do file=${file#/proc/}; printf '%s\n' "${file%/cmdline}"; done
}
# shellcheck disable=SC2046
count() { set -- $(matching "$1"); echo $#; }

# Waits until a command succeeds: at once, then with growing pauses. $1 = seconds at most, rest = command.
wait_for() {
  limit=$1; shift
  ! "$@" || return 0
  pause=0.01; end=$(( $(date +%s) + limit ))
  sleep "$pause"
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep "$pause"
    case $pause in 0.01) pause=0.02 ;; 0.02) pause=0.05 ;; 0.05) pause=0.1 ;; 0.1) pause=0.25 ;; *) pause=0.5 ;; esac
  done
}

# What stands at a path: link, directory, absent or other; then the real directory.
kind_of() {
  if [ -L "$1" ]; then echo link
  elif [ -d "$1" ]; then echo directory
  elif [ -e "$1" ]; then echo other
  else echo absent
  fi
}

# Folder of our own beside a deployed directory; holds manifests and what is not finished.
state_of() { printf '%s/.rexdeploy' "${1%/*}"; }

# Digest of a tree's listing: type, mode, size, time and path of all that is not excluded. $1 = dir, rest = find expression.
listing_digest() {
  dir=$1; shift
  ( cd "$dir" && find . -mindepth 1 "$@" \( -type f -printf 'f %m %s %T@ %P\0' -o -type d -printf 'd %m %P\0' -o -printf '%y %P %l\0' \) ) |
    sort -z | sha256sum | { read -r digest rest; printf '%s\n' "$digest"; }
}
