# Gives an instance's lock back: nothing of this deployment works on it any more. No arguments beyond the fence's.
rm -rf "$fence_lock" || refuse 92 "$fence_lock cannot be removed"
