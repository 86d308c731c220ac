import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onDeath } from './last-resort.ts';
import { Transcript } from './transcript.ts';

export interface ServerOptions {
  /** What it runs as and where (`TestUser.prefix`, `Machine.prefix`), the command and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Asked again and again until it is true. */
  readonly ready: (output: string) => boolean | Promise<boolean>;
  readonly timeoutMs?: number;
  /** SIGTERM for a server that tidies up after itself; it has 10 s. With SIGKILL its whole tree goes at once. */
  readonly stopSignal: 'SIGTERM' | 'SIGKILL';
}

export interface ServerProcess {
  readonly pid: number;
  readonly output: string;
  stop(): Promise<void>;
}

/** Starts a server and waits until it is ready. What it started is gone when this throws. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const [command = '', ...args] = options.command;
  // A process group of its own, so that its workers can be ended with it and a Ctrl-C of ours does not reach it.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const transcript = new Transcript();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => transcript.append(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => transcript.append(chunk));
  await once(child, 'spawn');
  const forget = onDeath(() => killChild(child));
  const stop = async (): Promise<void> => {
    await stopChild(child, options.stopSignal);
    forget();
  };
  try {
    await untilReady(child, transcript, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: pidOf(child),
    get output() {
      return transcript.text;
    },
    stop,
  };
}

async function untilReady(
  child: ChildProcess,
  transcript: Transcript,
  options: ServerOptions,
): Promise<void> {
  const deadline = Date.now() + (options.timeoutMs ?? 30_000);
  while (!(await options.ready(transcript.text))) {
    const state = hasEnded(child) ? 'ended' : Date.now() > deadline ? 'is not ready in time' : undefined;
    if (state) throw new Error(`${options.command.join(' ')} ${state}. It wrote:\n${transcript.text}`);
    await sleep(50);
  }
}

/** Ends a child that leads its own process group, and whatever it started. */
export async function stopChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (signal === 'SIGTERM' && !hasEnded(child)) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await Promise.race([exit, sleep(10_000, undefined, { ref: false })]);
  }
  const exit = hasEnded(child) ? undefined : once(child, 'exit');
  killChild(child);
  await exit;
}

/**
 * Kills a child and what is in its process group, but nothing that it has started in a session of its own: what is to
 * tidy up after it must have the chance to, or the test would not notice that it does not.
 */
export async function killAlone(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
  killChild(child);
}

/** As `killTree`, of a child that may have ended and left others in its process group. */
export function killChild(child: ChildProcess): void {
  const pid = pidOf(child);
  if (!hasEnded(child)) killTree(pid);
  signalAll([-pid], 'SIGKILL');
}

/**
 * Kills a process and its descendants, whatever group they are in: sshd gives each session one of its own. It is
 * stopped first, so that it cannot start another meanwhile.
 */
export function killTree(pid: number): void {
  signalAll([pid], 'SIGSTOP');
  signalAll([pid, ...descendants(pid)], 'SIGKILL');
}

/** The children of a process and theirs. */
function descendants(ancestor: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid, ...below(pid)] : []));
  return below(ancestor);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} did not start`);
  return child.pid;
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
