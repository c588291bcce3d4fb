# Removes old releases; release-lock.sh, which stands behind this, gives the instance's lock back then.
# Args: keep, note (for release-lock.sh), then fours: deployed directory, current release, former and marked release ('' = none).
# Keeps the newest `keep` releases `<dir>_<8 digits>_<6 digits>`, and always these three. Answer: `removed` for each.
keep=$1; note=$2
shift 2
d='[0-9]'; stamp=_$d$d$d$d$d$d$d${d}_$d$d$d$d$d$d
is_release() { [ -d "$1" ] && [ ! -L "$1" ]; }
while [ $# -ge 4 ]; do
  dir=$1; current=$2; former=$3; marked=$4
  shift 4
  state="${dir%/*}/.rexdeploy"; base=${dir##*/}
  [ -d "$state" ] || mkdir -p "$state" || refuse 92 "$state cannot be made"
  # What a clean-up that was cut off did not get to.
  for rest in "$state/${base}"_*.removed; do [ ! -e "$rest" ] || rm -rf "$rest"; done
  n=0
  for release in "$dir"$stamp; do ! is_release "$release" || n=$((n + 1)); done
  [ "$n" -gt "$keep" ] || continue
  linked=$(readlink -f -- "$dir") || refuse 91 "$dir leads nowhere: nothing is removed"
  # The oldest comes first.
  for release in "$dir"$stamp; do
    is_release "$release" || continue
    [ "$n" -gt "$keep" ] || break
    n=$((n - 1))
    # The directory may be named by way of a link, so that paths tell nothing.
    if [ "$release" -ef "$current" ] || [ "$release" -ef "$former" ] || [ "$release" -ef "$linked" ] || [ "$release" -ef "$marked" ]; then
      continue
    fi
    name=${release##*/}
    # Its name goes first: half a release must not look like one that can be gone back to.
    { [ ! -e "$state/$name.removed" ] || rm -rf "$state/$name.removed"; } && mv -T "$release" "$state/$name.removed" &&
      rm -rf "$state/$name.removed" "$state/$name.json" "$state/$name.manifest" || refuse 92 "$release cannot be removed"
    say removed "$release"
  done
done
set -- "$note"
