import { COMPLETE } from './complete.js';

/** Scripts that ask `rex` itself, so that they never have to be made anew for another version. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Works without the package bash-completion, and with bash 4.4 or later. */
const bash = `# bash completion of rex; load it with: source <(rex completion bash)
_rex() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words line
  COMPREPLY=()
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${words[@]}" 2>/dev/null)
}
complete -F _rex rex
`;

const zsh = `#compdef rex
# zsh completion of rex; load it with: source <(rex completion zsh)
_rex() {
  local -a found
  local line
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    # A colon ends the word for _describe.
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <("\${words[1]}" ${COMPLETE} "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  _describe rex found
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _rex "$@"
else
  compdef _rex rex
fi
`;

const fish = `# fish completion of rex; load it with: rex completion fish | source
function __rex_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] ${COMPLETE} $words[2..-1] 2>/dev/null)
  if test "$found[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    string join \\n -- $found
  end
end
complete -c rex -f -a "(__rex_complete)"
`;

/** What a shell has to read to complete the words of \`rex\`. */
export const completionScript = (shell: Shell): string => ({ bash, zsh, fish })[shell];
