import { constants } from 'node:os';
import { onDeath } from './last-resort.ts';
import { killTree } from './processes.ts';
import { Screen } from './screen.ts';
import { Transcript } from './transcript.ts';
import { binary, type Exit, type TunnelOptions } from './tunnel.ts';

export interface Terminal {
  readonly pid: number;
  /** What a person sees now. */
  readonly screen: string;
  /** Everything that was written, with its control sequences. */
  readonly raw: string;
  readonly exit: Promise<Exit>;
  /** Types: `\r` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D. */
  write(text: string): void;
  /** Waits until it is on the screen; throws with all that was written. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  resize(columns: number, rows: number): void;
  /** Closes the window: the kernel sends SIGHUP. */
  hangUp(): void;
  stop(): Promise<void>;
}

export interface TerminalOptions extends TunnelOptions {
  /** Default 100. */
  readonly columns?: number;
  /** TERM; default xterm-256color. */
  readonly type?: string;
  /** Instead of the built program: what comes before the arguments. */
  readonly command?: readonly string[];
}

/** Runs the built program in a pseudo-terminal of 40 rows. */
export async function startTerminal(
  args: readonly string[],
  {
    env,
    cwd = env['HOME'],
    command = [process.execPath, binary],
    columns = 100,
    type = 'xterm-256color',
  }: TerminalOptions,
): Promise<Terminal> {
  // Loaded here, as it has no build for some platforms and most tests need no terminal.
  const { spawn } = await import('@lydell/node-pty');
  const [program = '', ...before] = command;
  const pty = spawn(program, [...before, ...args], {
    name: type,
    cols: columns,
    rows: 40,
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const screen = new Screen(columns);
  const transcript = new Transcript();
  pty.onData((data) => {
    screen.write(data);
    transcript.append(data);
  });
  let ended = false;
  const exit = new Promise<Exit>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      ended = true;
      transcript.end();
      resolve(
        signal ? { status: undefined, signal: signalName(signal) } : { status: exitCode, signal: undefined },
      );
    });
  });
  const kill = (): void => {
    if (!ended) killTree(pty.pid);
  };
  const forget = onDeath(kill);
  return {
    pid: pty.pid,
    exit,
    get screen() {
      return screen.text;
    },
    get raw() {
      return transcript.text;
    },
    write: (text) => pty.write(text),
    waitFor: (pattern, timeoutMs) =>
      transcript.waitFor(`${pattern} on the screen`, () => pattern.exec(screen.text), timeoutMs),
    resize(columns, rows) {
      screen.resize(columns);
      pty.resize(columns, rows);
    },
    hangUp: () => closeMaster(pty),
    async stop() {
      // Alone: see `killAlone`.
      if (!ended) process.kill(pty.pid, 'SIGKILL');
      await exit;
      forget();
    },
  };
}

/** Its own `destroy` sends a SIGHUP besides the kernel's, which a program would take for a second one. */
function closeMaster(pty: object): void {
  (pty as { readonly _socket: { destroy(): void } })._socket.destroy();
}

function signalName(number: number): NodeJS.Signals | undefined {
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return names.find(([, value]) => value === number)?.[0];
}
