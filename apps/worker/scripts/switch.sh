# Stops an instance, brings its directories to a wanted state, starts it. Safe to repeat.
# Args: program_dir program_want config_dir config_want start stop pattern before stop_seconds start_seconds
#   *_want: `link <release>`, `directory <where it was moved to>` or `absent`; config_dir '' = none
#   start/stop: commands, '' = none; pattern '' = not known; before: suffix for a plain directory that has to make way
#   before_stop after_switch after_start (hooks, '' = none) hook_seconds decide (no: a failed hook is only told) instance
#   host release kept (folder of shared entries) former (release that runs now) shared (entries, a line each)
#   prove_release prove_former port: what is asked of prove.sh, which stands behind this; port '' = it is not asked
#   runs: yes = processes were seen a moment ago
# Answer: `mark` stop/switch/start or a hook as each begins, `pids` after the start, `failed_hook` where it does not decide;
#   `mark` listens once something listens on the port, and what prove.sh tells then.
# Exit 91 stop, 92 switch, 93 start failed, 94 started but no process matches, 95/96/97 a hook failed.
program=$1; program_want=$2; config=$3; config_want=$4; start=$5; stop=$6; pattern=$7; before=$8; stop_seconds=$9
shift 9
start_seconds=$1; before_stop=$2; after_switch=$3; after_start=$4; hook_seconds=$5; decide=$6
shift 6
instance=$1; host=$2; release=$3; kept=$4; former=$5; shared=$6; prove_release=$7; prove_former=$8; port=$9; runs=${10-}
for want in "$program_want" "$config_want"; do
  # Before anything is stopped: without the release there would be nothing to start.
  case $want in 'link '*) [ -d "${want#link }" ] || refuse 92 "${want#link } is not there" ;; esac
done
state="${program%/*}/.rexdeploy"
drop() { [ ! -L "$1" ] || rm -f "$1"; }
base=${program##*/}
# What the commands of the configuration wrote last. On a disk that is full by now the bring-back goes without what needs
# room.
scratch="$state/$base.last"
true 2> /dev/null > "$scratch" || { [ "$decide" = no ] && scratch=/dev/null; } || refuse 92 "$scratch cannot be written"
# A link that was made ready and not needed goes.
trap 'drop "$program.rex-new"; drop "${config:-$program}.rex-new"' EXIT
log=$scratch

# $1 = name, $2 = command, $3 = exit code when it decides
hook() {
  [ -n "$2" ] || return 0
  say mark "$1"
  service "$2" "$hook_seconds" REX_INSTANCE="$instance" REX_HOST="$host" REX_RELEASE="$release" && return 0
  [ "$decide" = no ] || exit "$3"
  say failed_hook "$1"
}
# $1 = directory, $2 = wanted state
is_put() {
  case $2 in
    'link '*) [ -L "$1" ] && [ "$1" -ef "${2#link }" ] ;;
    'directory '*) [ -d "$1" ] && [ ! -L "$1" ] ;;
    *) [ ! -e "$1" ] && [ ! -L "$1" ] ;;
  esac
}
# Where it was never switched, what cannot be stopped is what shall be brought back: it goes on. Whether it serves is asked
# afterwards, as ever.
not_stopped() {
  if [ "$decide" = no ] && is_put "$program" "$program_want" && { [ -z "$config" ] || is_put "$config" "$config_want"; }; then
    exit 0
  fi
  refuse 91 "$1"
}

# Makes the link that will take its place. $1 = directory, $2 = wanted state
is_ready() {
  case $2 in 'link '*) ;; *) return 0 ;; esac
  is_put "$1" "$2" || is_put "$1.rex-new" "$2" || { drop "$1.rex-new" && ln -s "${2#link }" "$1.rex-new"; }
}
hook before_stop "$before_stop" 95
# Before anything is stopped: an app must not be down for a link that cannot be made.
if [ "$decide" != no ]; then
  is_ready "$program" "$program_want" && { [ -z "$config" ] || is_ready "$config" "$config_want"; } ||
    refuse 92 "no link can be made beside $program${config:+ or $config}"
fi
say mark stop
end_app "$runs"

# $1 = directory, $2 = wanted state
put() {
  # Nothing that could fail where nothing is to be done.
  is_put "$1" "$2" && return 0
  want=${2%% *}; where=${2#* }
  case $want in
    link)
      [ -d "$where" ] || refuse 92 "$where is not there"
      if [ -d "$1" ] && [ ! -L "$1" ]; then
        [ ! -e "$1$before" ] || refuse 92 "$1 has to make way and $1$before is taken"
        mv -T "$1" "$1$before" || refuse 92 "$1 cannot be moved to $1$before"
      fi
      # One rename: there is no moment without a link. On a full disk the bring-back has the room of the other link alone.
      { is_ready "$1" "$2" && mv -T "$1.rex-new" "$1"; } ||
        { [ "$decide" = no ] && [ -L "$1" ] && rm -f "$1" && ln -s "$where" "$1"; } ||
        refuse 92 "$1 cannot be linked to $where"
      [ "$1" -ef "$where" ] || refuse 92 "$1 does not lead to $where"
      ;;
    directory)
      [ -d "$where" ] || refuse 92 "$where is not there"
      rm -f "$1" && mv -T "$where" "$1" || refuse 92 "$where cannot be moved back to $1"
      ;;
    absent)
      if [ -L "$1" ]; then rm -f "$1" || refuse 92 "$1 cannot be removed"; fi
      ;;
    *) refuse 92 "unknown wanted state $2" ;;
  esac
}
say mark switch
[ -n "$config" ] && put "$config" "$config_want"
# Nobody writes any more: what came after the copy that staging made is brought along.
[ -z "$shared" ] || update_all "$kept" "$former" "$shared"
put "$program" "$program_want"
# Who started before this is not of this release; see prove.sh. Counted from the boot on, in what processes are timed with,
# so that no clock matters.
read -r boot < /proc/sys/kernel/random/boot_id
# A subshell is a process that starts now.
ticks=$( { IFS= read -r stat; set -- ${stat##*) }; echo "${20}"; } < /proc/self/stat )
printf '%s\n%s\n' "$boot" "$ticks" > "$state/$base.switched"
if [ -n "$shared" ] && [ -z "$stop" ]; then
  # Nothing was stopped: what was written until the link changed.
  if [ "$former" = "$program" ]; then former="$program$before"; fi
  update_all "$kept" "$former" "$shared"
fi
hook after_switch "$after_switch" 96

say mark start
if [ -n "$start" ]; then
  # What a started daemon goes on to write here stays readable.
  log="$state/$base.out"
  true 2> /dev/null >> "$log" || log=$scratch
  begin_app
fi
log=$scratch
hook after_start "$after_start" 97

[ -n "$port" ] || exit 0
# What prove.sh waits for: how often it is looked whether the app listens, 8 ms apart. One that is slow is asked for later.
tries=40
until_it_listens() {
  until find_listeners "$port"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 0
    sleep 0.003
  done
  say mark listens
}
before_looking=until_it_listens
# What was seen just now is not looked up again.
seen_pids=${pids-}
set -- "$program" "$prove_release" "$prove_former" "$pattern" "$port"
# The fence is left: what follows changes nothing.
fence_leave
