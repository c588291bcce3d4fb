# Who holds an instance's lock on this host? Args: folder, name. Answer: `owner`, as fence.sh wrote it; nothing when it is free.
owner="$1/$2.lock/owner"
[ ! -f "$owner" ] || say owner "$(first_line "$owner")"
exit 0
