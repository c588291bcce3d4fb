# Put between common.sh and every script that changes something: one at a time, and nobody whose time is over.
# Args, shifted away: folder ('~' = the home directory), name, mode, controller, deployment, stamp, epoch, worker, the
#   controller's time (for people), seconds
#   mode: `hold` takes the instance's lock or keeps it, `break` takes it from whoever has it, `check` knows no lock
#   stamp and epoch: number of the deployment and of its owner; the highest that was seen stays in `<name>.fence`
# The mutex (fd 9) is held until the script ends; a long one leaves it meanwhile and enters again before it is seen.
# Exit 90: a newer deployment was here, 100: a newer owner of this one, 98: another command works on it, 99: another controller holds the lock.
case $1 in '~') fence_folder="$HOME/.rexdeploy" ;; *) fence_folder=$1 ;; esac
fence_name=$2; fence_mode=$3; fence_controller=$4; fence_deployment=$5; fence_stamp=$6; fence_epoch=$7; fence_worker=$8; fence_since=$9; fence_seconds=${10}
shift 10
fence_lock="$fence_folder/$fence_name.lock"

fence_leave() { exec 9>&-; }
fence_enter() {
  [ -d "$fence_folder" ] || mkdir -p "$fence_folder" || refuse 92 "$fence_folder cannot be made"
  exec 9>> "$fence_folder/$fence_name.mutex" || refuse 92 "$fence_folder cannot be written by $(id -un)"
  flock -w "$fence_seconds" 9 || refuse 98 "another command still works on $fence_name in $fence_folder"
  seen_stamp=0; seen_epoch=0; seen_deployment=
  if [ -f "$fence_folder/$fence_name.fence" ]; then
    read -r seen_stamp seen_epoch seen_deployment < "$fence_folder/$fence_name.fence"
    case $seen_stamp$seen_epoch in *[!0-9]* | '') seen_stamp=0; seen_epoch=0 ;; esac
  fi
  # Whoever breaks a lock knows better than the number that was left with it.
  [ "$fence_mode" != break ] || seen_stamp=0
  if [ "$seen_stamp" -gt "$fence_stamp" ] || { [ "$seen_stamp" -eq "$fence_stamp" ] && [ "$seen_epoch" -gt "$fence_epoch" ]; }; then
    [ "$seen_deployment" = "$fence_deployment" ] && fence_code=100 || fence_code=90
    refuse "$fence_code" "$seen_deployment was here since (number $seen_stamp.$seen_epoch, this one is $fence_stamp.$fence_epoch)"
  fi
  lock_controller=; lock_deployment=
  if [ "$fence_mode" != check ] && [ -f "$fence_lock/owner" ]; then
    read -r lock_controller lock_deployment lock_worker lock_since < "$fence_lock/owner"
    [ "$lock_controller" = "$fence_controller" ] || [ "$fence_mode" = break ] ||
      refuse 99 "locked by deployment $lock_deployment (worker $lock_worker, controller $lock_controller) since $lock_since: $fence_lock"
  fi
  if [ "$seen_stamp.$seen_epoch" = "$fence_stamp.$fence_epoch" ]; then
    # Nothing to write the second time.
    [ "$fence_mode" != check ] && [ "$lock_controller $lock_deployment" != "$fence_controller $fence_deployment" ] || return 0
  fi
  printf '%s %s %s\n' "$fence_stamp" "$fence_epoch" "$fence_deployment" > "$fence_folder/$fence_name.fence.new" &&
    mv -f "$fence_folder/$fence_name.fence.new" "$fence_folder/$fence_name.fence" || refuse 92 "$fence_folder cannot be written"
  [ "$fence_mode" != check ] || return 0
  { [ -d "$fence_lock" ] || mkdir "$fence_lock"; } &&
    printf '%s %s %s %s\n' "$fence_controller" "$fence_deployment" "$fence_worker" "$fence_since" > "$fence_lock/owner.new" &&
    mv -f "$fence_lock/owner.new" "$fence_lock/owner" || refuse 92 "$fence_lock cannot be made"
}
fence_enter
