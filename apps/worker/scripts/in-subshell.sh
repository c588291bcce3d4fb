# What stands between this and end-subshell.sh may exit, and the script goes on.
(
