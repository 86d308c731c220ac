import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRig, type Rig } from '../rig/rig.ts';
import type { Terminal } from '../rig/terminal.ts';
import { binary } from '../rig/tunnel.ts';
import type { TestUser } from '../rig/users.ts';

const completions = fileURLToPath(new URL('../../completions', import.meta.url));

export type ShellName = 'bash' | 'zsh' | 'fish';

/** A user who has nothing but the program, since ssh and we look into the home that passwd names. */
export interface Person {
  readonly rig: Rig;
  readonly user: TestUser;
  readonly env: NodeJS.ProcessEnv;
  /** Writes a file of the person's, by its path from the home. */
  write(path: string, text: string): void;
}

export async function makePerson(t: TestContext): Promise<Person> {
  const rig = await startRig(t);
  const user = await rig.user();
  const bin = rig.folder('bin');
  symlinkSync(binary, join(bin, 'tunnel'));
  const own = (name: string): string => {
    const path = join(user.home, name);
    mkdirSync(path, { mode: 0o700, recursive: true });
    chownSync(path, user.uid, user.gid);
    return path;
  };
  const env = {
    PATH: `${bin}:${rig.env['PATH']}`,
    LANG: 'C.UTF-8',
    HOME: user.home,
    TUNNEL_CONFIG_DIR: own('config'),
    TUNNEL_STATE_DIR: own('state'),
    TUNNEL_RUNTIME_DIR: own('run'),
  };
  return {
    rig,
    user,
    env,
    write(path, text) {
      own(dirname(path));
      writeFileSync(join(user.home, path), text, { mode: 0o600 });
      chownSync(join(user.home, path), user.uid, user.gid);
    },
  };
}

/** A shell with the completion loaded; `ask` types a line and gives all that TAB has to offer. */
export interface Shell {
  /** Everything that completion would put at the end of the line, as it would stand there. */
  all(line: string): Promise<string[]>;
  /** The line after TAB. */
  tab(line: string): Promise<string>;
  readonly terminal: Terminal;
}

const START: Readonly<Record<ShellName, { command: string[]; setUp: string[] }>> = {
  bash: {
    command: ['bash', '--norc', '--noprofile', '-i'],
    setUp: [
      `source ${completions}/tunnel.bash`,
      "bind 'set completion-query-items -1'",
      "bind 'set bell-style none'",
    ],
  },
  zsh: {
    command: ['zsh', '-f', '-i'],
    setUp: [
      'unsetopt beep; setopt nolistbeep; PROMPT_EOL_MARK=',
      'autoload -Uz compinit && compinit -u -D',
      `source ${completions}/_tunnel`,
      'zle -C all-matches complete-word _generic',
      "bindkey '^Xa' all-matches",
      "zstyle ':completion:all-matches:*' completer _all_matches _complete",
      "zstyle ':completion:all-matches:*' insert yes",
    ],
  },
  fish: {
    command: ['fish', '--no-config', '-i'],
    setUp: [`source ${completions}/tunnel.fish`, 'set -g fish_autosuggestion_enabled 0'],
  },
};

export async function startShell({ rig, user, env }: Person, name: ShellName): Promise<Shell> {
  const { command, setUp } = START[name];
  const prompt = { bash: "PS1='> '", zsh: "PROMPT='> '", fish: "function fish_prompt; printf '> '; end" }[
    name
  ];
  const terminal = await rig.terminal([], { command: [...user.prefix, ...command], env, cwd: user.home });
  let count = 0;
  /** What a command prints, between two marks that are not on the line that was typed. */
  const run = async (line: string): Promise<string> => {
    count += 1;
    terminal.write(`echo BEG''IN${count}; ${line}; echo DO''NE${count}\r`);
    const [, output = ''] = await terminal.waitFor(new RegExp(`BEGIN${count}\\n([^]*?)DONE${count}\\n`));
    return output;
  };
  for (const line of [prompt, ...setUp]) await run(line);
  /** The line as it stands after keys were typed that complete it. */
  const press = async (line: string, keys: string): Promise<string> => {
    count += 1;
    const end = `END${count}`;
    terminal.write(`${line}${keys}${end}`);
    const [screen] = await terminal.waitFor(new RegExp(`^[^]*${end}`));
    // Not Ctrl-C: it would take with it what is typed next.
    terminal.write('\x15');
    return screen.slice(screen.lastIndexOf('\n> ') + '\n> '.length, -end.length);
  };
  const all = async (line: string): Promise<string[]> => {
    if (name === 'fish') {
      const output = await run(
        `complete -C '${line.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}' | string split -f1 \\t`,
      );
      return output.split('\n').filter((entry) => entry !== '');
    }
    const before = line.slice(0, line.lastIndexOf(' ') + 1);
    const after = await press(line, { bash: '\x1b*', zsh: '\x18a' }[name]);
    return (after.slice(before.length).match(/(?:\\.|\S)+/g) ?? []).filter((word) => before + word !== line);
  };
  return { all, tab: (line) => press(line, '\t'), terminal };
}
