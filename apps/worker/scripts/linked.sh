# Tells which release a directory leads to. Args: program_dir. Answer: `release` = base name of the real directory.
# Exit 91: it leads nowhere.
[ -d "$1" ] || refuse 91 "$1 leads nowhere"
say release "$(basename "$(readlink -f -- "$1")")"
