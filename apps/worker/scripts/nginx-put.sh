# Replaces one line of an upstream file, checks the configuration, reloads nginx and waits until it uses the new one.
# Args: upstream_file, line as it stands, line as it shall stand, settle_ms, timeout_seconds.
# Old workers may still serve requests after that: waits for their end, at most settle_ms. Where the line stands as it shall
# and is in use, an nginx that refuses its configuration or does not run is no error: nothing is asked of it.
# Answer: `changed` yes/no, `settled` yes/no, then `line` for each line of the file that names a server.
# Exit 91 file, 92 neither line is there, 93 nginx refuses the file (put back), 94 reload failed (put back), 95 nginx does not
# include the file, 96 the new configuration did not come into use.
old=$2; new=$3; settle_ms=$4; limit=$5
file=$(readlink -f -- "$1") || refuse 91 "$1 is not there"
[ -w "$file" ] || refuse 91 "$file cannot be written by $(id -un)"
folder=${file%/*}/
# One change at a time, whoever makes it: the lock is on the folder, so that no file is left behind.
exec 8< "$folder" && flock -w "$limit" 8 || refuse 91 "$folder is locked by another change"

stands=yes
if ! grep -qxF -e "$old" -- "$file"; then
  stands=no
  grep -qxF -e "$new" -- "$file" || refuse 92 "$file holds neither \"$old\" nor \"$new\": somebody changed it"
fi
copy="$folder.${file##*/}.rex-old"
next="$folder.${file##*/}.rex-new"
# The copy is there until a change is in use: one that is found was left by whoever was cut off before that.
pending=no
[ ! -e "$copy" ] || pending=yes
changed=no
if [ "$old" != "$new" ] && [ "$stands" = yes ]; then
  changed=yes
  cp -p "$file" "$next" || refuse 91 "$folder cannot be written"
  OLD=$old NEW=$new awk '$0 == ENVIRON["OLD"] { print ENVIRON["NEW"]; next } { print }' "$file" > "$next" || exit 91
  cp -p "$file" "$copy" && mv "$next" "$file" || exit 91
fi
say changed "$changed"

put_back() {
  [ "$changed" = yes ] || return 0
  if [ "$pending" = yes ]; then cp -p "$copy" "$file"; else mv "$copy" "$file"; fi
}
nothing_to_do() { [ "$changed" = no ] && [ "$pending" = no ]; }
finish() {
  grep -E '^[[:space:]]*server[[:space:]]' -- "$file" | while IFS= read -r line; do say line "$line"; done
  exit 0
}
check=$(nginx -T 2>&1) || { nothing_to_do && finish; put_back; printf '%s\n' "$check" | grep -E '^nginx:' >&2; refuse 93 'nginx refuses the configuration'; }
case "
$check" in
  *"
# configuration file $file:
"* | *"
# configuration file $1:
"*) ;;
  *) put_back; refuse 95 "nginx's configuration does not include $1" ;;
esac
pid_file=$(printf '%s\n' "$check" | sed -n 's/^[[:space:]]*pid[[:space:]]\{1,\}\([^;]*\);.*/\1/p')
# The first one.
pid_file=${pid_file%%
*}
[ -n "$pid_file" ] || pid_file=$(nginx -V 2>&1 | tr ' ' '\n' | sed -n 's/^--pid-path=//p')
[ -n "$pid_file" ] || pid_file=/run/nginx.pid
master=
{ read -r master || :; } 2> /dev/null < "$pid_file"
[ -n "$master" ] && kill -0 "$master" 2> /dev/null || { nothing_to_do && finish; put_back; refuse 94 "nginx does not run (no process of $pid_file)"; }

# One that ends has another title. Not every kernel lists children.
workers() {
  if [ -r "/proc/$master/task/$master/children" ]; then read -r children < "/proc/$master/task/$master/children" || :
  else children=$(pgrep -P "$master")
  fi
  for pid in $children; do
    title=
    { IFS= read -r title || :; } 2> /dev/null < "/proc/$pid/cmdline"
    [ "$title" != 'nginx: worker process' ] || printf '%s\n' "$pid"
  done
}
before=$(workers)
# Also when the file was changed before: nobody knows whether old workers have ended since.
[ "$old" != "$new" ] || [ "$pending" = yes ] || finish
# As `nginx -s reload` does, which reads the whole configuration once more before it does so.
kill -s HUP "$master" || { put_back; refuse 94 "nginx (process $master) cannot be told to reload by $(id -un)"; }

renewed() {
  now=$(workers)
  [ -n "$now" ] || return 1
  for old_pid in $before; do
    for pid in $now; do [ "$pid" != "$old_pid" ] || return 1; done
  done
}
wait_for "$limit" renewed || refuse 96 'nginx was told to reload and still runs its old workers; see its error log'
rm -f "$copy"

idle() {
  for pid in $before; do [ ! -d "/proc/$pid" ] || return 1; done
}
settled=yes
waited=0
while ! idle; do
  [ "$waited" -lt "$settle_ms" ] || { settled=no; break; }
  sleep 0.02
  waited=$((waited + 20))
done
say settled "$settled"
finish
