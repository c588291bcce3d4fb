# rexdeploy-remote-script
# Runs a command of the configuration with the instance's facts in its environment. No arguments: they would show in the
# process list. Stdin: instance, host, port, the state found, the weight wanted (a line each), then the command. Answer
# and exit code are the command's own; its stdin is empty.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
IFS= read -r REX_INSTANCE; IFS= read -r REX_HOST; IFS= read -r REX_PORT; IFS= read -r REX_FOUND; IFS= read -r REX_WEIGHT
export PATH REX_INSTANCE REX_HOST REX_PORT REX_FOUND REX_WEIGHT
command=$(cat)
eval "$command" < /dev/null
