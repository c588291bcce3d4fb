# Readies what a former attempt left of a release: ends that attempt, keeps the files that arrived whole, removes the rest.
# Args: release. Input: `<sha256>  <path>` of every file that would be sent, NUL after each.
# Answer: what was kept, as list-tree.sh lists it with hash=yes.
# Exit 96: the former attempt has ended its work, the release is in place.
release=$1
state=$(state_of "$release"); stage="$state/$(base_of "$release").partial"
end_former "$stage"
if [ -d "$release" ]; then
  rm -rf "$stage" || exit 92
  exit 96
fi
mkdir -p "$stage/tree" && claim "$stage" || exit 92
open_directories "$stage/tree"
rm -rf "$stage/control" "$stage/config" "$stage/resume" && mkdir "$stage/resume" || exit 92
resume="$stage/resume"
# Whoever takes over from here on ends this script first.
fence_leave
sort -z > "$resume/wanted" || exit 92
cd "$stage/tree" || exit 92
cut -z -b 67- "$resume/wanted" | sort -z > "$resume/wanted-paths"
find . -type f -printf '%P\0' | sort -z > "$resume/paths"
# Only what may be of use is read.
comm -z -12 "$resume/paths" "$resume/wanted-paths" | xargs -0 -r sha256sum -z -- | sort -z > "$resume/digests"
comm -z -12 "$resume/digests" "$resume/wanted" > "$resume/whole" || exit 92
cut -z -b 67- "$resume/whole" | sort -z > "$resume/whole-paths"
comm -z -23 "$resume/paths" "$resume/whole-paths" | xargs -0 -r rm -f -- || exit 92
find . -mindepth 1 ! -type d ! -type f -delete || exit 92
find . -mindepth 1 -depth -type d -empty -delete || exit 92
find . -mindepth 1 -printf '%y %m %s %T@\0%P\0%l\0' || exit 92
printf '\0'
cat "$resume/whole"
rm -rf "$resume"
