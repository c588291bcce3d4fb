)
exit 0
