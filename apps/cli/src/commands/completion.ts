import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.js';

/** `rex completion`: words of `rex` at a press of Tab. */
export function addCompletion(parent: Command): void {
  parent
    .command('completion')
    .description('print a script with which a shell completes commands, options, names, instances and jobs')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => void process.stdout.write(completionScript(shell)));
}

const EXAMPLES = `
bash: echo 'source <(rex completion bash)' >> ~/.bashrc
zsh:  echo 'source <(rex completion zsh)' >> ~/.zshrc     (after compinit)
fish: rex completion fish > ~/.config/fish/completions/rex.fish`;
