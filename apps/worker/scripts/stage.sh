# Makes a release next to the current one and changes nothing that is in use.
# Args: release, current ('' = none), reuse (copy|link), meta (one line of JSON, @LISTING@ in it is filled in),
#       config_release ('' = none), config_current ('' = none), config meta, folder of shared entries, the present release
#       ('' = none), shared entries (a line each), then a find expression of exclusions.
# Input: a tar with tree/ (what differs), config/ (what is laid over the configuration) and control/: keep (files to take
#        from current, NUL after each), sums (sha256 of what was sent), dirmodes (`mode path` of directories that their
#        owner may not write to), manifest.
# Answer: `listing` = digest of the finished tree. Exit 91: a release of that name is there already.
release=$1; current=$2; reuse=$3; meta=$4; config_release=$5; config_current=$6; config_meta=$7
shift 7
kept=$1; present=$2; shared=$3
shift 3
state=$(state_of "$release"); name=$(basename "$release"); stage="$state/$name.partial"
[ ! -e "$release" ] || refuse 91 "$release is there already"
mkdir -p "$state" || exit 92
rm -rf "$stage" && mkdir "$stage" || exit 92
# Others need not wait while it arrives; whether this is still wanted is asked again before anything gets its name.
fence_leave
tar -x -p -f - -C "$stage" --no-same-owner || exit 93
mkdir -p "$stage/tree"

if [ -s "$stage/control/keep" ]; then
  link=
  [ "$reuse" = link ] && link=-l
  # shellcheck disable=SC2086
  ( cd "$current" && xargs -0 cp -P -p $link --reflink=auto --parents -t "$stage/tree" -- ) < "$stage/control/keep" || exit 94
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
  config_state=$(state_of "$config_release"); config_stage="$config_state/$(basename "$config_release").partial"
  if [ -e "$config_release" ]; then
    # Left by an attempt of this deployment that was cut off before the program was in place: not in use yet.
    [ "$(cat "$config_state/$(basename "$config_release").json" 2> /dev/null)" = "$config_meta" ] ||
      refuse 91 "$config_release is there already"
    rm -rf "$config_release" || exit 92
  fi
  mkdir -p "$config_state" || exit 92
  rm -rf "$config_stage" && mkdir "$config_stage" || exit 92
  if [ -n "$config_current" ]; then cp -a "$config_current/." "$config_stage/" || exit 94; fi
  if [ -d "$stage/config" ]; then cp -a "$stage/config/." "$config_stage/" || exit 94; fi
  printf '%s\n' "$config_meta" > "$config_state/$(basename "$config_release").json" || exit 92
  mv -T "$config_stage" "$config_release" || exit 92
fi

listing=$(listing_digest "$stage/tree" "$@")
[ -f "$stage/control/manifest" ] && { mv "$stage/control/manifest" "$state/$name.manifest" || exit 92; }
printf '%s\n' "$meta" | sed "s/@LISTING@/$listing/" > "$state/$name.json" || exit 92
mv -T "$stage/tree" "$release" || exit 92
rm -rf "$stage"
say listing "$listing"
