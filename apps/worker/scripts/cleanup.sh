# Removes old releases. Args: keep, then fours: deployed directory, current release, former and marked release ('' = none).
# Keeps the newest `keep` releases `<dir>_<8 digits>_<6 digits>`, and always these three. Answer: `removed` for each.
keep=$1
shift
# Names may hold spaces; release names end in digits, so that lines are safe to split at.
IFS='
'
set -f
while [ $# -ge 4 ]; do
  dir=$1; current=$2; former=$3; marked=$4
  shift 4
  linked=$(readlink -f -- "$dir") || refuse 91 "$dir leads nowhere: nothing is removed"
  state=$(state_of "$dir"); base=$(base_of "$dir")
  mkdir -p "$state" || refuse 92 "$state cannot be made"
  # What a clean-up that was cut off did not get to.
  for rest in $(set +f; ls -1d -- "$state/${base}"_*.removed 2> /dev/null); do rm -rf "$rest"; done
  n=0
  for release in $(set +f; ls -1d -- "$dir"_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9] 2> /dev/null | sort -r); do
    [ -d "$release" ] && [ ! -L "$release" ] || continue
    n=$((n + 1))
    [ "$n" -gt "$keep" ] || continue
    # The directory may be named by way of a link, so that paths tell nothing.
    if [ "$release" -ef "$current" ] || [ "$release" -ef "$former" ] || [ "$release" -ef "$linked" ] || [ "$release" -ef "$marked" ]; then
      continue
    fi
    name=$(base_of "$release")
    # Its name goes first: half a release must not look like one that can be gone back to.
    rm -rf "$state/$name.removed" && mv -T "$release" "$state/$name.removed" &&
      rm -rf "$state/$name.removed" "$state/$name.json" "$state/$name.manifest" || refuse 92 "$release cannot be removed"
    say removed "$release"
  done
done
exit 0
