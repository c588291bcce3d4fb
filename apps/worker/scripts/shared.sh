# rexdeploy-remote-script
# Entries of a program that outlive its releases, in a folder beside it. Functions for stage.sh and switch.sh; common.sh
# comes after this text and before they are called. Whatever a release holds of its own is copied, never moved: it may
# run, or be what is gone back to.

# Brings what is missing or older at a kept entry; removes nothing, and a file gets its name when it is whole.
# $1 = entry of a release, $2 = kept entry
update_entry() {
  if [ ! -d "$1" ]; then
    [ "$1" -nt "$2" ] || [ ! -e "$2" ] || return 0
    cp -p --reflink=auto -- "$1" "$2.rex-new" && mv -T -- "$2.rex-new" "$2"
    return
  fi
  # Also into a link to a directory: that is where the data lies then.
  mkdir -p -- "$2" && ( cd "$1" && find . -mindepth 1 -exec sh -c '
    to=$1; shift
    for path do
      if [ -L "$path" ]; then
        [ -e "$to/$path" ] || [ -L "$to/$path" ] || cp -P -p -- "$path" "$to/$path" || [ ! -L "$path" ] || exit 1
      elif [ -d "$path" ]; then
        [ -d "$to/$path" ] || { mkdir -- "$to/$path" && chmod --reference="$path" -- "$to/$path"; } || exit 1
      elif [ -f "$path" ]; then
        [ ! -e "$to/$path" ] || [ "$path" -nt "$to/$path" ] || continue
        if cp -p --reflink=auto -- "$path" "$to/$path.rex-new"; then
          mv -T -- "$to/$path.rex-new" "$to/$path" || exit 1
        else
          # Gone meanwhile, as files of a running program may be; anything else is a failure.
          rm -f -- "$to/$path.rex-new"
          [ ! -e "$path" ] || exit 1
        fi
      fi
    done' update "$2" {} + )
}

# Does a release hold data of its own at an entry? Not where a link leads out of all releases.
# $1 = entry of the release, $2 = kept entry, $3 = release, $4 = folder of kept entries
holds_own() {
  [ -e "$1" ] || return 1
  target=$(readlink -f -- "$1")
  [ "$target" != "$(readlink -f -- "$2")" ] || return 1
  [ -L "$1" ] || return 0
  case $target in "$3"/* | "${4%_shared}_"[0-9]*/*) return 0 ;; *) return 1 ;; esac
}

# Makes a kept entry from that of the present release, or empty. It gets its name when it is whole.
# $1 = entry of the release, $2 = kept entry, $3 = release ('' = none), $4 = folder of kept entries
make_entry() {
  new="$2.rex-partial"
  rm -rf -- "$new"
  if [ -z "$3" ] || [ ! -e "$1" ]; then
    mkdir -- "$new"
  elif ! holds_own "$1" "$2" "$3" "$4"; then
    ln -s -- "$(readlink -f -- "$1")" "$new"
  elif [ ! -d "$1" ]; then
    cp -p --reflink=auto -- "$1" "$new"
  else
    # All at once is fast; file by file bears that some vanish while they are copied.
    { mkdir -- "$new" && cp -a --reflink=auto -- "$1/." "$new/"; } 2> /dev/null ||
      { rm -rf -- "$new" && mkdir -- "$new" && update_entry "$1" "$new" && chmod --reference="$1" -- "$new"; }
  fi && mv -T -- "$new" "$2" && return 0
  rm -rf -- "$new"
  return 1
}

# Keeps every entry and links it into a new tree. $1 = folder, $2 = present release ('' = none), $3 = tree, $4 = entries
share_all() {
  while IFS= read -r entry; do
    mkdir -p -- "$(dirname "$1/$entry")" "$(dirname "$3/$entry")" || refuse 94 "no place for shared $entry"
    if [ ! -e "$1/$entry" ]; then
      [ ! -L "$1/$entry" ] || refuse 94 "$1/$entry leads nowhere"
      make_entry "$2/$entry" "$1/$entry" "$2" "$1" || refuse 94 "$2/$entry cannot be copied to $1/$entry"
    elif [ -n "$2" ] && holds_own "$2/$entry" "$1/$entry" "$2" "$1"; then
      update_entry "$2/$entry" "$1/$entry" || refuse 94 "$2/$entry cannot be copied to $1/$entry"
    fi
    # A link on the way, which came with the package, would lead us out of the tree.
    [ "$(readlink -f -- "$(dirname "$3/$entry")")" = "$(dirname "$(readlink -f -- "$3")/$entry")" ] ||
      refuse 94 "a link of the package stands on the way to shared $entry"
    ln -s -- "$1/$entry" "$3/$entry" || refuse 94 "shared $entry cannot be linked"
  done << END
$4
END
}

# Brings along what the former release wrote since. $1 = folder, $2 = former release ('' = none), $3 = entries
update_all() {
  [ -n "$2" ] || return 0
  while IFS= read -r entry; do
    holds_own "$2/$entry" "$1/$entry" "$2" "$1" || continue
    update_entry "$2/$entry" "$1/$entry" || refuse 92 "$2/$entry cannot be copied to $1/$entry"
  done << END
$3
END
}
