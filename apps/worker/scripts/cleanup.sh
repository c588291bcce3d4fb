# Removes old releases. Args: keep, then triples: deployed directory, current release, former release ('' = none).
# Keeps the newest `keep` releases `<dir>_<8 digits>_<6 digits>`, and always current and former. Answer: `removed` for each.
keep=$1
shift
# Names may hold spaces; release names end in digits, so that lines are safe to split at.
IFS='
'
set -f
while [ $# -ge 3 ]; do
  dir=$1; current=$2; former=$3
  shift 3
  linked=$(readlink -f -- "$dir") || refuse 91 "$dir leads nowhere: nothing is removed"
  n=0
  for release in $(set +f; ls -1d -- "$dir"_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9][0-9][0-9] 2> /dev/null | sort -r); do
    [ -d "$release" ] && [ ! -L "$release" ] || continue
    n=$((n + 1))
    [ "$n" -gt "$keep" ] || continue
    case $release in "$current" | "$former" | "$linked") continue ;; esac
    state=$(state_of "$release"); name=$(basename "$release")
    rm -rf "$release" "$state/$name.json" "$state/$name.manifest" || refuse 92 "$release cannot be removed"
    say removed "$release"
  done
done
exit 0
