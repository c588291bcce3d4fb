# Runs a command of the configuration that changes a balancer, as balancer-command.sh does and behind the fence. No arguments
# beyond the fence's. Stdin: instance, host, port, the state found, the weight wanted (a line each), then the command.
# Exit code is the command's own; those that are the fence's become 89, and the command's is told on stderr.
IFS= read -r REX_INSTANCE; IFS= read -r REX_HOST; IFS= read -r REX_PORT; IFS= read -r REX_FOUND; IFS= read -r REX_WEIGHT
REX_COMMAND=$(cat)
export REX_INSTANCE REX_HOST REX_PORT REX_FOUND REX_WEIGHT REX_COMMAND
unset LC_ALL
# In a shell of its own, which has nothing of the above, and without the mutex, which a daemon would keep.
sh -c 'command=$REX_COMMAND; unset REX_COMMAND; eval "$command"' < /dev/null 9>&-
code=$?
[ "$code" -lt 90 ] || [ "$code" -gt 100 ] || refuse 89 "it ended with exit code $code"
exit "$code"
