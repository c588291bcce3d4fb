# What of an instance stands on its host; nothing is refused and nothing changed.
# Args: program_dir config_dir service_script process_pattern ('' = not configured).
# Answer: program, config, service = yes/no; processes.
program=$1; config=$2; service=$3; pattern=$4
if [ -d "$program" ]; then say program yes; else say program no; fi
if [ -n "$config" ]; then
  if [ -d "$config" ]; then say config yes; else say config no; fi
fi
if [ -n "$service" ]; then
  if [ -x "$service" ] && [ ! -d "$service" ]; then say service yes; else say service no; fi
fi
[ -z "$pattern" ] || say_processes "$pattern"
exit 0
