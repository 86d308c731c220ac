import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../errors.ts';
import { homeDirectory } from '../../home.ts';
import { shellWord } from '../../shell-word.ts';
import { shellNames, type CompletionCommand, type ShellName } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { contents, replaceFile, withFile } from '../persons-file.ts';

const SCRIPTS: Readonly<Record<ShellName, string>> = {
  bash: 'tunnel.bash',
  zsh: '_tunnel',
  fish: 'tunnel.fish',
};

/** Where a script goes, and the line that loads it where the shell does not find it by itself. */
interface Place {
  readonly script: string;
  readonly startUp?: { readonly file: string; readonly line: string };
}

/**
 * Prints a shell's script, or puts it where the shell finds it. Doing so twice is as good as once. Fulfils with the exit
 * status; throws a `UsageError` for a shell that is not known, and for a home that cannot be written to.
 */
export async function completion(
  { shell: named, install }: CompletionCommand,
  { stdout }: Screens = process,
): Promise<number> {
  const shell = named ?? personsShell();
  const script = readFileSync(scriptPath(shell), 'utf8');
  if (!install) {
    stdout.write(script);
    return 0;
  }
  const { script: path, startUp } = placeFor(shell);
  const elsewhere = [`To have it elsewhere: tunnel completion ${shell} > FILE`];
  withFile(path, elsewhere, () => replaceFile(path, script));
  stdout.write(`Wrote ${path}\n`);
  if (startUp !== undefined) {
    const { file, line } = startUp;
    const byHand = [`Where ${shell} reads it at its start, this line loads it: ${line}`];
    const added = withFile(file, byHand, () => addLine(file, line));
    stdout.write(`${added ? 'Added a line to' : 'It is already loaded in'} ${file}\n`);
  }
  stdout.write(`It counts in each ${shell} that starts from now on.\n`);
  return 0;
}

/** Beside the bundle, in the package. */
function scriptPath(shell: ShellName): string {
  return fileURLToPath(new URL(`../completions/${SCRIPTS[shell]}`, import.meta.url));
}

function personsShell(): ShellName {
  const name = basename(process.env['SHELL'] ?? '');
  const shell = shellNames.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw new UsageError(
    'unknown-shell',
    `Which shell? ${name === '' ? 'SHELL is not set' : `There is no completion for ${name}`}`,
    {
      hint: [`Name it: tunnel completion install ${shellNames.join('|')}`],
    },
  );
}

function placeFor(shell: ShellName): Place {
  const { env } = process;
  const home = homeDirectory();
  const data = env['XDG_DATA_HOME'] || join(home, '.local/share');
  switch (shell) {
    case 'bash': {
      // bash-completion looks there, but it is not everywhere.
      const script = join(data, 'bash-completion/completions/tunnel');
      return { script, startUp: { file: join(home, '.bashrc'), line: sourced(script) } };
    }
    case 'zsh': {
      const script = join(data, 'tunnel/_tunnel');
      const compinit = '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }';
      const file = join(env['ZDOTDIR'] || home, '.zshrc');
      return { script, startUp: { file, line: `${compinit}; ${sourced(script)}` } };
    }
    case 'fish':
      return {
        script: join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'fish/completions/tunnel.fish'),
      };
  }
}

function sourced(script: string): string {
  const word = shellWord(script);
  return `[ ! -r ${word} ] || . ${word} # tunnel completion`;
}

/** Whether it had to be added. */
function addLine(file: string, line: string): boolean {
  const text = contents(file);
  if (text.split('\n').includes(line)) return false;
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
  return true;
}
