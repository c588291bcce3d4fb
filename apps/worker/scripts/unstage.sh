# Removes a release that was made and is not used. Args: pairs of a deployed directory and its release.
# A release that the directory leads to stays, and the exit is 91. A script that still fills one is ended.
while [ $# -ge 2 ]; do
  dir=$1; release=$2
  shift 2
  if [ -L "$dir" ] && [ "$(readlink -f -- "$dir")" = "$(readlink -f -- "$release")" ] && [ -d "$release" ]; then
    refuse 91 "$release is in use"
  fi
  state=$(state_of "$release"); name=$(base_of "$release")
  end_former "$state/$name.partial"
  open_directories "$release"
  open_directories "$state/$name.partial"
  rm -rf "$release" "$state/$name.partial" "$state/$name.json" "$state/$name.manifest" || exit 92
done
