# Keeps beside the release what an instance's rotation was before it was taken out, for a controller that lost its memory.
# Args: remember|recall|forget, the rotation (one line of JSON).
# Answer of recall: `rotation`, where an earlier deployment left it behind.
verb=$1; rotation=$2
file="$fence_folder/$fence_name.rotation"
case $verb in
  remember)
    printf '%s\n' "$rotation" > "$file.new" && mv -f "$file.new" "$file" || refuse 92 "$file cannot be written"
    ;;
  recall) [ ! -f "$file" ] || say rotation "$(first_line "$file")" ;;
  forget) rm -f "$file" || refuse 92 "$file cannot be removed" ;;
esac
exit 0
