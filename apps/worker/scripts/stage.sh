# Makes a release next to the current one and changes nothing that is in use.
# Args: release, resume (yes: the tree holds what resume.sh kept), meta (one line of JSON, @LISTING@ in it is filled in),
#       current ('' = none), since (seconds since 1970 on this host: when current was looked at), reuse (copy|link),
#       config_release ('' = none), config_current ('' = none), config meta, folder of shared entries, the present release
#       ('' = none), shared entries (a line each), number of lists of sums, packing, then a find expression of
#       exclusions.
# Input, packed as sums.sh tells: a tar with tree/ (what differs and is not there yet), config/ (what is laid over the
#        configuration) and control/: keep (files to take from current, NUL after each), fixed (those of them whose content
#        is not up to current), dirmodes (`mode path` of directories that their owner may not write to), manifest, and the
#        sha256 of all that was sent, also by former attempts: sums-1, sums-2, … each behind the files it tells of, see
#        sums.sh; and sums, which is checked when all is there.
# Answer: `listing` = digest of the finished tree. Exit 91: a release of that name is there already, 97: current was changed
# since it was looked at; what arrived stays for the next attempt.
release=$1; resume=$2; meta=$3; current=$4; since=$5; reuse=$6; config_release=$7; config_current=$8; config_meta=$9
shift 9
kept=$1; present=$2; shared=$3; lists=$4; packing=$5
shift 5
name=${release##*/}; state="${release%/*}/.rexdeploy"; stage="$state/$name.partial"
[ ! -e "$release" ] || refuse 91 "$release is there already"
if [ -e "$stage" ]; then
  end_former "$stage"
  if [ "$resume" = yes ]; then
    rm -rf "$stage/control" "$stage/config" || exit 92
  else
    open_directories "$stage"
    rm -rf "$stage" || exit 92
  fi
fi
mkdir -p "$stage" && claim "$stage" || exit 92
# Others need not wait while it arrives; whether this is still wanted is asked again before anything gets its name.
fence_leave
( cd "$stage" && unpack "$packing" "$lists" )
case $? in 0) ;; 1) refuse 95 'what arrived is not what was sent' ;; *) exit 93 ;; esac
[ -d "$stage/tree" ] || mkdir "$stage/tree"

listed=
if [ -s "$stage/control/keep" ]; then
  link=
  [ "$reuse" = link ] && link=-l
  # A changed file has a later time of change, whatever its other times say; a new link is such a change as well.
  touched() {
    ( cd "$current" && find . -mindepth 1 "$@" -type f -newerct "@$since" -printf '%P\0' ) > "$stage/control/touched"
    [ -s "$stage/control/touched" ] || return 0
    sort -z -o "$stage/control/touched" "$stage/control/touched"
    sort -z "$stage/control/keep" | comm -z -12 "$stage/control/touched" - > "$stage/control/changed"
  }
  [ -z "$link" ] || touched "$@"
  # Never written through: what an attempt left there may be a link to a file of current.
  # shellcheck disable=SC2086
  ( cd "$current" && xargs -0 cp -P -p $link --remove-destination --reflink=auto --parents -t "$stage/tree" -- ) < "$stage/control/keep" || {
    ( cd "$current" && xargs -0 stat -c %s -- ) < "$stage/control/keep" > "$stage/control/sizes" && exit 94
    refuse 97 "files of $current went away while they were copied"
  }
  [ -n "$link" ] || touched "$@"
  if [ -s "$stage/control/changed" ]; then
    sort -z "$stage/control/fixed" | comm -z -12 "$stage/control/changed" - > "$stage/control/wrong"
    [ ! -s "$stage/control/wrong" ] ||
      refuse 97 "files of $current were changed while they were copied: $(head -z -n 5 "$stage/control/wrong" | tr '\0' ' ')"
    # The copy is as good as the original, but not what the manifest tells: its files are looked at one by one next time.
    listed='changed while it was copied'
  fi
fi
if [ -s "$stage/control/sums" ]; then
  ( cd "$stage" && sha256sum --quiet --strict -c control/sums ) >&2 || refuse 95 'what arrived is not what was sent'
fi
[ -z "$shared" ] || share_all "$kept" "$present" "$stage/tree" "$shared"
if [ -s "$stage/control/dirmodes" ]; then
  while read -r mode path; do chmod "$mode" "$stage/tree/$path" || exit 94; done < "$stage/control/dirmodes"
fi

fence_enter
if [ -n "$config_release" ]; then
  config_name=${config_release##*/}; config_state="${config_release%/*}/.rexdeploy"; config_stage="$config_state/$config_name.partial"
  if [ -e "$config_release" ]; then
    # Left by an attempt of this deployment that was cut off before the program was in place: not in use yet.
    [ "$(first_line "$config_state/$config_name.json" 2> /dev/null)" = "$config_meta" ] ||
      refuse 91 "$config_release is there already"
    rm -rf "$config_release" || exit 92
  fi
  [ ! -e "$config_stage" ] || rm -rf "$config_stage" || exit 92
  mkdir -p "$config_stage" || exit 92
  if [ -n "$config_current" ]; then cp -a "$config_current/." "$config_stage/" || exit 94; fi
  if [ -d "$stage/config" ]; then cp -a "$stage/config/." "$config_stage/" || exit 94; fi
  printf '%s\n' "$config_meta" > "$config_state/$config_name.json" || exit 92
  mv -T "$config_stage" "$config_release" || exit 92
fi

listing=$(listing_digest "$stage/tree" "$@")
[ -f "$stage/control/manifest" ] && { mv "$stage/control/manifest" "$state/$name.manifest" || exit 92; }
printf '%s\n' "${meta%%@LISTING@*}${listed:-$listing}${meta#*@LISTING@}" > "$state/$name.json" || exit 92
mv -T "$stage/tree" "$release" || exit 92
rm -rf "$stage"
say listing "$listing"
