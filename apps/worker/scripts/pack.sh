# Sends files of a tree. Args: directory. Input: paths, NUL after each. Answer: a tar of them on stdout.
cd "$1" || refuse 91 "$1 is not a directory that can be read"
exec tar -c -f - --no-recursion --null --verbatim-files-from -T -
