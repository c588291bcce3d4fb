# Gives an instance's lock back: nothing of this deployment works on it any more. Args, beyond the fence's: note
#   `forget` removes what this deployment noted of the instance's rotation, which is as it was; anything else leaves it
note="$fence_folder/$fence_name.rotation"
kept=
[ "${1-}" != forget ] || { IFS= read -r kept || :; } 2> /dev/null < "$note"
case $kept in *"\"deployment\":\"$fence_deployment\""*) set -- "$note" ;; *) set -- ;; esac
rm -rf "$@" "$fence_lock" || refuse 92 "$fence_lock${1:+ or $1} cannot be removed"
