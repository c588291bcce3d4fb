# Tells which release the processes of an instance come from, and changes nothing.
# Args: program_dir, release that should run, former ('' = none: a directory that is another release, whatever its name),
#   pattern, port ('' = not known).
# Answer: a line `process` for each one that matches the pattern or listens on the port, its fields separated by tabs:
#   pid, start (ticks since boot), age (new|old: after or before the link changed, unknown), matches and listens (yes|no),
#   shows (release|other|nothing), parents (ids, nearest first), evidence, working directory ('' = may not be read), command
#   line; `sockets` = how many listen on the port, `unseen` = those whose process may not be seen; `user`.
# Exit 91: the release is not there.
program=$1; former=$3; pattern=$4; port=$5
# The instance is out of rotation meanwhile, so that commands are run for many at a time, or not at all.
{ read -r release; read -r parent_dir; read -r former; } << END
$(readlink -m -- "$2" "${program%/*}/" ${former:+"$former"})
END
[ -d "$release" ] || refuse 91 "$2 is not there"
[ "$former" != "$release" ] || former=
own="${parent_dir%/}/${program##*/}"
name=${release##*/}
boot=; ticks=; now=
{ read -r boot; read -r ticks; } 2> /dev/null < "${program%/*}/.rexdeploy/${program##*/}.switched"
{ read -r now; } 2> /dev/null < /proc/sys/kernel/random/boot_id

$before_looking

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

# Sets `command`, the command line of a process in one line, and `paths`, the absolute ones among its arguments, a line each;
# also inside of `-Dhome=/a` and `/a:/b`.
read_words() {
  command=; paths=
  words=$(tr '\0' '\n' 2> /dev/null < "/proc/$1/cmdline")
  case $words in
    */* | *"	"*) ;;
    *)
      # Nothing to take apart.
      while IFS= read -r word; do command="$command${command:+ }$word"; done << END
$words
END
      [ "${#command}" -le 300 ] || command=$(printf '%.300s' "$command")
      return
      ;;
  esac
  words=$(printf '%s\n' "$words" | awk '{
    words = words " " $0
    n = split($0, part, /[=:,;]/); part[0] = $0
    for (i = 0; i <= n; i++) if (part[i] ~ /^\// && !seen[part[i]]++ && ++count <= 500) path[count] = part[i]
  }
  END {
    gsub(/\t/, " ", words); print substr(words, 2, 300)
    for (i = 1; i <= count && i <= 500; i++) print path[i]
  }')
  command=${words%%
*}
  paths=${words#"$command"}
  paths=${paths#?}
}

# Sets `links`: a path, a blank and where it leads, a line each; of folders of open files those that are among `sockets`.
# $@ = such folders, and links of processes
read_links() {
  places=$*
  set -- -name cwd -o -name exe -o -name root
  for socket in $sockets; do set -- "$@" -o -lname "socket:\[$socket\]"; done
  # shellcheck disable=SC2086
  links=$(find $places -maxdepth 1 \( "$@" \) -printf '%p %l\n' 2> /dev/null)
}

# Sets `shows`, `evidence` and `cwd`, by the links and paths that were read. What shows another release outweighs what shows
# the wanted one. $1 = process
look() {
  shows=nothing; evidence=; cwd=
  while IFS= read -r link; do
    case $link in "/proc/$1/cwd "* | "/proc/$1/exe "* | "/proc/$1/root "*) ;; *) continue ;; esac
    link=${link#"/proc/$1/"}
    what=${link%% *}; real=${link#* }
    if [ "$what" = cwd ]; then cwd=$real; fi
    tell "$real"
    if [ -n "$told" ] && [ "$shows" != other ]; then shows=$told; evidence="$what $real"; fi
  done << END
$links
END
  [ "$shows" != other ] && [ -n "$paths" ] || return 0
  while IFS= read -r real; do
    tell "$real"
    if [ "$told" = other ]; then shows=other; evidence="argument $real"; return 0; fi
  done << END
$(IFS='
'; set -f; exec readlink -m -- $paths 2> /dev/null)
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

matched=$seen_pids
[ -z "$pattern" ] || [ -n "$matched" ] || match "$pattern"

sockets=
if [ -n "$port" ]; then
  [ -n "$listeners" ] || find_listeners "$port"
  sockets=$listeners
fi
# The instance's own processes are few; all others are looked through only for what they do not hold.
places=
for pid in $matched; do places="$places /proc/$pid/cwd /proc/$pid/exe /proc/$pid/root${sockets:+ /proc/$pid/fd}"; done
links=
# shellcheck disable=SC2086
[ -z "$places" ] || read_links $places
own_links=$links
# Sets `listening`, processes that hold one of `sockets`, and `unseen`, how many are held by none of them.
find_holders() {
  listening=' '; held=' '
  while IFS= read -r link; do
    holder=${link#/proc/}
    case ${holder#*/} in fd/*) ;; *) continue ;; esac
    listening="$listening${holder%%/*} "
    held="$held${link##* } "
  done << END
$links
END
  unseen=0
  for socket in $sockets; do case $held in *" socket:[$socket] "*) ;; *) unseen=$((unseen + 1)) ;; esac; done
}
find_holders
if [ "$unseen" -gt 0 ]; then
  read_links /proc/[0-9]*/fd
  find_holders
fi
if [ -n "$port" ]; then
  # shellcheck disable=SC2086
  set -- $sockets
  say sockets $#
  say unseen "$unseen"
fi
matched=" $matched "
told_of=' '; hidden=no
for pid in $matched $listening; do
  case $told_of in *" $pid "*) continue ;; esac
  told_of="$told_of$pid "
  read_words "$pid"
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
  links=$own_links
  case $matched in *" $pid "*) ;; *) read_links "/proc/$pid/cwd" "/proc/$pid/exe" "/proc/$pid/root" ;; esac
  look "$pid"
  [ -n "$cwd" ] || hidden=yes
  parents_of "$pid"
  printf 'process\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
    "$pid" "$began" "$age" "$matches" "$listens" "$shows" "${up# }" "$evidence" "$cwd" "$command"
done
if [ "$unseen" -gt 0 ] || [ "$hidden" = yes ]; then say user "$(id -un)"; else say user ''; fi
exit 0
