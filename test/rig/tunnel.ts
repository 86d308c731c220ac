import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onDeath } from './last-resort.ts';
import { killAlone, killChild } from './processes.ts';
import { Transcript } from './transcript.ts';

export interface TunnelOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Default: the env's HOME. */
  readonly cwd?: string;
  /** Where it runs: `Machine.prefix`. */
  readonly prefix?: readonly string[];
  /** Default: what is built here, under the present Node.js. */
  readonly program?: readonly string[];
}

/** One line of `--json`. */
export type JsonEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

export interface Exit {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface Tunnel {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: Promise<Exit>;
  /** The whole lines of standard output so far, read as JSON. */
  readonly events: readonly JsonEvent[];
  /** Waits for it in what is written to stdout or stderr; throws with all that was written. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Waits for an event of this name, of which `matches` is true. */
  waitForEvent(name: string, matches?: (event: JsonEvent) => boolean, timeoutMs?: number): Promise<JsonEvent>;
  /** Waits for the first event of one of these names. */
  waitForAny(...names: readonly string[]): Promise<JsonEvent>;
  /** Sends a signal (SIGINT), and waits for the end that it leads to. */
  interrupt(signal?: NodeJS.Signals): Promise<Exit>;
  /** Ends it however it is. */
  stop(): Promise<void>;
}

export const binary = fileURLToPath(new URL('../../bin/tunnel.js', import.meta.url));

/** Runs the built program, without a terminal and with nothing on its standard input. */
export async function startTunnel(
  args: readonly string[],
  { env, cwd = env['HOME'], prefix = [], program = [process.execPath, binary] }: TunnelOptions,
): Promise<Tunnel> {
  const [command = '', ...rest] = [...prefix, ...program, ...args];
  const child = spawn(command, rest, {
    env,
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const all = new Transcript();
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk;
      all.append(chunk);
    });
  }
  const exit = once(child, 'close').then(([status, signal]): Exit => {
    all.end();
    return { status: status ?? undefined, signal: signal ?? undefined };
  });
  await once(child, 'spawn');
  const forget = onDeath(() => killChild(child));
  const events = (): JsonEvent[] => parseLines(written.stdout);
  return {
    pid: child.pid ?? 0,
    exit,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    get events() {
      return events();
    },
    waitFor: (pattern, timeoutMs) => all.waitFor(`${pattern}`, () => pattern.exec(all.text), timeoutMs),
    waitForEvent: (name, matches = () => true, timeoutMs?) =>
      all.waitFor(
        `event '${name}'`,
        () => events().find((event) => event.event === name && matches(event)),
        timeoutMs,
      ),
    waitForAny: (...names) =>
      all.waitFor(`event ${names.join(' or ')}`, () => events().find(({ event }) => names.includes(event))),
    async interrupt(signal = 'SIGINT') {
      child.kill(signal);
      return exit;
    },
    async stop() {
      await killAlone(child);
      forget();
    },
  };
}

/** The last line may be half there. */
function parseLines(text: string): JsonEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonEvent);
}
