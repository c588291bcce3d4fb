# Gives an instance's lock back: nothing of this deployment works on it any more. Args, beyond the fence's: note
#   `forget` removes what this deployment noted of the instance's rotation, which is as it was; anything else leaves it
note="$fence_folder/$fence_name.rotation"
if [ "${1-}" = forget ] && grep -qF "\"deployment\":\"$fence_deployment\"" "$note" 2> /dev/null; then
  rm -f "$note" || refuse 92 "$note cannot be removed"
fi
rm -rf "$fence_lock" || refuse 92 "$fence_lock cannot be removed"
