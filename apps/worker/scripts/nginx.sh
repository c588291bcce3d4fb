# Put before the scripts that look at nginx, behind common.sh.

# Sets `title`. $1 = process
title_of() {
  title=
  { IFS= read -r title || :; } 2> /dev/null < "/proc/$1/cmdline"
}
is_master() {
  [ -n "$master" ] || return 1
  title_of "$master"
  case $title in 'nginx: master process'*) ;; *) return 1 ;; esac
}

# Tells the lines of a file that begin with `server`. $1 = file
tell_lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    case ${line#"${line%%[![:space:]]*}"} in 'server '* | 'server	'*) say line "$line" ;; esac
  done < "$1"
}

# Reads nginx's configuration and sets `master`, its process. $1 = a file, $2 = the same by the name that it was given
# Returns 1 when nginx refuses it (`check` tells), 2 when the file is no part of it, 3 when nginx does not run.
find_master() {
  check=$(nginx -T 2>&1) || return 1
  case "
$check" in
    *"
# configuration file $1:
"* | *"
# configuration file $2:
"*) ;;
    *) return 2 ;;
  esac
  pid_file=$(printf '%s\n' "$check" | sed -n 's/^[[:space:]]*pid[[:space:]]\{1,\}\([^;]*\);.*/\1/p')
  # The first one.
  pid_file=${pid_file%%
*}
  [ -n "$pid_file" ] || pid_file=$(nginx -V 2>&1 | tr ' ' '\n' | sed -n 's/^--pid-path=//p')
  [ -n "$pid_file" ] || pid_file=/run/nginx.pid
  master=
  { read -r master || :; } 2> /dev/null < "$pid_file"
  [ -n "$master" ] && kill -0 "$master" 2> /dev/null || return 3
}
