# Is nginx's configuration sound as it stands, and is this file part of it? Changes nothing. Args: upstream_file.
# Exit 93: nginx refuses it, 95: the file is not included.
file=$(readlink -f -- "$1") || refuse 91 "$1 is not there"
check=$(nginx -T 2>&1) || { printf '%s\n' "$check" | grep -E '^nginx:' >&2; refuse 93 'nginx refuses its configuration as it stands'; }
printf '%s\n' "$check" | grep -qxF -e "# configuration file $file:" -e "# configuration file $1:" ||
  refuse 95 "nginx's configuration does not include $1"
[ -w "$file" ] && [ -w "$(dir_of "$file")" ] || refuse 91 "$file and its folder cannot be written by $(id -un)"
