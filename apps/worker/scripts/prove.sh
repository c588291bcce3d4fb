# Tells which release the processes of an instance come from, and changes nothing.
# Args: program_dir, release that should run, former ('' = none: a directory that is another release, whatever its name),
#   pattern, port ('' = not known).
# Answer: a line `process` for each one that matches the pattern or listens on the port, its fields separated by tabs:
#   pid, start (ticks since boot), age (new|old: after or before the link changed, unknown), matches and listens (yes|no),
#   shows (release|other|nothing), parents (ids, nearest first), evidence, working directory ('' = may not be read), command
#   line; `sockets` = how many listen on the port, `unseen` = those whose process may not be seen; `user`.
# Exit 91: the release is not there.
program=$1; former=$3; pattern=$4; port=$5
release=$(readlink -f -- "$2") && [ -d "$release" ] || refuse 91 "$2 is not there"
[ -z "$former" ] || former=$(readlink -m -- "$former")
[ "$former" != "$release" ] || former=
parent_dir=$(readlink -f -- "$(dir_of "$program")")
own="${parent_dir%/}/$(base_of "$program")"
name=$(base_of "$release")
boot=; ticks=; now=
{ read -r boot; read -r ticks; } 2> /dev/null < "$(state_of "$program")/$(base_of "$program").switched"
{ read -r now; } 2> /dev/null < /proc/sys/kernel/random/boot_id
# The instance is out of rotation meanwhile, so that commands are run for many processes at a time, or not at all.

# Sets `told`: what a real path tells about the process that has it (`release`, `other`), or nothing.
tell() {
  told=; path=${1% (deleted)}
  if [ "$path" = "$1" ]; then deleted=no; else deleted=yes; fi
  case $path in
    "$release" | "$release"/*) if [ "$deleted" = yes ]; then told=other; else told=release; fi; return ;;
  esac
  [ -z "$former" ] || case $path in "$former" | "$former"/*) told=other; return ;; esac
  case $path in "$own"*) ;; *) return ;; esac
  path=${path#"$own"}
  case ${path%%/*} in
    _[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9] | _*_before) told=other ;;
    '') if [ "$deleted" = yes ]; then told=other; fi ;;
  esac
}

# Absolute paths among the arguments of a process, a line each; also inside of `-Dhome=/a` and `/a:/b`.
paths_of() {
  tr '\0' '\n' 2> /dev/null < "/proc/$1/cmdline" | awk '{
    n = split($0, part, /[=:,;]/); part[0] = $0
    for (i = 0; i <= n; i++) if (part[i] ~ /^\// && !seen[part[i]]++ && ++count <= 500) print part[i]
  }'
}

# Sets `shows`, `evidence` and `cwd`. What shows another release outweighs what shows the wanted one.
look() {
  shows=nothing; evidence=; cwd=
  while IFS= read -r link; do
    what=${link%% *}; real=${link#* }
    if [ "$what" = cwd ]; then cwd=$real; fi
    tell "$real"
    if [ -n "$told" ] && [ "$shows" != other ]; then shows=$told; evidence="$what $real"; fi
  done << END
$(find "/proc/$1/cwd" "/proc/$1/exe" "/proc/$1/root" -maxdepth 0 -printf '%f %l\n' 2> /dev/null)
END
  [ "$shows" != other ] || return 0
  paths=$(paths_of "$1")
  [ -n "$paths" ] || return 0
  while IFS= read -r real; do
    tell "$real"
    if [ "$told" = other ]; then shows=other; evidence="argument $real"; return 0; fi
  done << END
$(printf '%s\n' "$paths" | xargs -d '\n' readlink -m -- 2> /dev/null)
END
  # One that names the release itself proves it; one that came through a link does not: it leads there for all.
  [ "$shows" = nothing ] && [ "$release" != "$own" ] || return 0
  while IFS= read -r given; do
    case $given/ in */"$name"/*) ;; *) continue ;; esac
    tell "$(readlink -f -- "$given")"
    if [ "$told" = release ]; then shows=release; evidence="argument $given"; return 0; fi
  done << END
$paths
END
}

# Sets `parent` and `start`. The name of the program, which comes before them, may hold spaces, lines and parentheses.
stat_of() {
  stat=
  { while IFS= read -r line || [ -n "$line" ]; do stat="$stat$line "; done; } 2> /dev/null < "/proc/$1/stat"
  [ -n "$stat" ] || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  parent=$2; start=${20}
}
parents_of() {
  up=; next=$1
  while stat_of "$next" && [ "$parent" -gt 1 ]; do up="$up $parent"; next=$parent; done
}

matched=' '
# shellcheck disable=SC2046
[ -z "$pattern" ] || matched=" $(echo $(matching "$pattern")) "
# `<socket> <process>` for each of `sockets` that these folders of open files hold.
holders_among() {
  find "$@" -maxdepth 1 -lname 'socket:*' -printf '%l %h\n' 2> /dev/null |
    awk -v sockets="$sockets" 'BEGIN { n = split(sockets, all); for (i = 1; i <= n; i++) wanted["socket:[" all[i] "]"] }
      $1 in wanted { split($2, part, "/"); print $1, part[3] }'
}
is_held() {
  for socket in $sockets; do case $holders in *"[$socket]"*) ;; *) return 1 ;; esac; done
}
holders=
if [ -n "$port" ]; then
  # 0A: listens.
  sockets=$(cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
    awk -v port="$(printf ':%04X' "$port")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }')
  if [ -n "$sockets" ]; then
    # The instance's own processes are few; all others are looked through only for what they do not hold.
    folders=
    for pid in $matched; do folders="$folders /proc/$pid/fd"; done
    # shellcheck disable=SC2086
    [ -z "$folders" ] || holders=$(holders_among $folders)
    is_held || holders=$(holders_among /proc/[0-9]*/fd)
  fi
  say sockets "$(printf '%s\n' "$sockets" | grep -c .)"
  say unseen "$(for socket in $sockets; do case $holders in *"[$socket]"*) ;; *) echo "$socket" ;; esac; done | grep -c .)"
fi
listening=' '
while read -r socket pid; do listening="$listening$pid "; done << END
$holders
END
for pid in $(printf '%s\n' $matched $listening | sort -un); do
  command=$(tr '\0\n\t' '   ' 2> /dev/null < "/proc/$pid/cmdline" | cut -c 1-300)
  # One that ended has none.
  [ -n "$command" ] && stat_of "$pid" || continue
  began=$start
  if [ -z "$ticks" ]; then age=unknown
  # Boot by boot the ticks begin anew, and whatever runs now was started after that.
  elif [ "$boot" != "$now" ] || [ "$began" -ge "$ticks" ]; then age=new
  else age=old
  fi
  case $matched in *" $pid "*) matches=yes ;; *) matches=no ;; esac
  case $listening in *" $pid "*) listens=yes ;; *) listens=no ;; esac
  look "$pid"
  parents_of "$pid"
  printf 'process\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
    "$pid" "$began" "$age" "$matches" "$listens" "$shows" "${up# }" "$evidence" "$cwd" "$command"
done
say user "$(id -un)"
exit 0
