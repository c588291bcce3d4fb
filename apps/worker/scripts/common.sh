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

# What a script saw that another one would look up, which runs behind it, and what that one shall do first; see prove.sh.
seen_pids=; listeners=; before_looking=:

say() { printf '%s\t%s\n' "$1" "$2"; }
refuse() { code=$1; shift; printf '%s\n' "$*" >&2; exit "$code"; }

# A program costs a host more than what it does here: what the shell can do by itself, it does. Paths are absolute and end
# without a slash.
base_of() { printf '%s' "${1##*/}"; }
dir_of() { parent=${1%/*}; printf '%s' "${parent:-/}"; }
first_line() { IFS= read -r first < "$1" || [ -n "$first" ] || return 1; printf '%s' "$first"; }

# Sets `matched`: ids of the processes whose command line matches a pattern, as `pgrep -f`; never a script of ours, whose
# arguments may match too. $1 = pattern
match() {
  files=; ours=" /proc/$$/cmdline /proc/$PPID/cmdline "
  case $1 in
    '' | *[!A-Za-z0-9_/:=@%,.-]* | *rexdeploy*)
      for pid in $(pgrep -f -- "$1"); do files="$files /proc/$pid/cmdline"; done
      # One that ended has no command line any more; files of /proc have no size.
      # shellcheck disable=SC2086
      [ -z "$files" ] || files=$(grep -la . $files 2> /dev/null)
      # shellcheck disable=SC2086
      [ -z "$files" ] || files=$(grep -La 'rexdeploy-remote-script' $files 2> /dev/null)
      ;;
    # The same to grep as to pgrep, which reads much more of each process: an instance is out of rotation meanwhile. By way
    # of its input, so that it does not find itself.
    *)
      found=$(grep -aHo -f - /proc/[0-9]*/cmdline 2> /dev/null << END
$1
rexdeploy-remote-script
END
)
      while IFS=: read -r file text; do
        case $text in
          *rexdeploy-remote-script*) ours="$ours$file " ;;
          *) case " $files " in *" $file "*) ;; *) files="$files $file" ;; esac ;;
        esac
      done << END
$found
END
      ;;
  esac
  matched=
  for file in $files; do
    # The grep itself may match, and what ended meanwhile: both have no folder any more.
    case $ours in *" $file "*) continue ;; esac
    [ -d "${file%/cmdline}" ] || continue
    file=${file#/proc/}; matched="$matched${matched:+ }${file%/cmdline}"
  done
}
# Tells how many they are. $1 = pattern
say_processes() {
  match "$1"
  # shellcheck disable=SC2086
  set -- $matched
  say processes $#
}

# Waits until a command succeeds: at once, then with growing pauses. $1 = seconds at most, rest = command.
wait_for() {
  at_most=$1; shift
  ! "$@" || return 0
  pause=0.005; end=
  sleep "$pause"
  until "$@"; do
    case $pause in
      0.005) pause=0.01 ;;
      0.01) pause=0.02 ;;
      0.02) pause=0.05 ;;
      0.05) pause=0.1; end=$(( $(date +%s) + at_most )) ;;
      0.1) pause=0.25 ;;
      *) pause=0.5 ;;
    esac
    [ -z "$end" ] || [ "$(date +%s)" -lt "$end" ] || return 1
    sleep "$pause"
  done
}

# Sets `listeners`: numbers of the sockets that listen on a port; 1 when none does. Reading /proc/net/tcp goes through every
# connection of the host; ss (iproute2) asks for those that listen alone. $1 = port
find_listeners() {
  listeners=
  if command -v ss > /dev/null && found=$(ss -Hltne "sport = :$1" 2> /dev/null); then
    while IFS= read -r line; do
      case $line in *' ino:'*) line=${line#* ino:}; listeners="$listeners${listeners:+ }${line%% *}" ;; esac
    done << END
$found
END
  else
    # State 0A listens: proc(5). The local address comes first, the other is all zeros then.
    found=$(grep -h -e "$(printf ':%04X 0*:0000 0A ' "$1")" /proc/net/tcp /proc/net/tcp6 2> /dev/null)
    while read -r _ _ _ _ _ _ _ _ _ inode _; do
      listeners="$listeners${listeners:+${inode:+ }}$inode"
    done << END
$found
END
  fi
  [ -n "$listeners" ]
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
  ( cd "$1" && shift && find . -mindepth 1 "$@" \( -type f -printf 'f %m %s %T@ %P\0' -o -type d -printf 'd %m %P\0' -o -printf '%y %P %l\0' \) ) |
    sort -z | sha256sum | { read -r digest rest; printf '%s\n' "$digest"; }
}
