# Lists a tree. Args: directory, hash (yes|no), then a find expression of exclusions.
# Answer, NUL after each: `<type> <octal mode> <size> <mtime>`, path, link target …, then an empty field; then, with
# hash=yes, `<sha256>  <path>` for each file. Exit 91: no such directory.
dir=$1; hash=$2
shift 2
cd "$dir" || refuse 91 "$dir is not a directory that can be read"
find . -mindepth 1 "$@" -printf '%y %m %s %T@\0%P\0%l\0' || exit 92
printf '\0'
[ "$hash" = yes ] || exit 0
find . -mindepth 1 "$@" -type f -printf '%P\0' | xargs -0 -r sha256sum -z -- || exit 92
