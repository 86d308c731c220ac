import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startCaddy, type Caddy, type CaddyOptions } from './caddy.ts';
import { cleanEnv } from './env.ts';
import { startGunicorn, type Gunicorn, type GunicornOptions } from './gunicorn.ts';
import { startMachine, type Machine, type MachineOptions } from './machine.ts';
import { startServer, type ServerOptions, type ServerProcess } from './processes.ts';
import { startRelay, type Conditions, type Relay, type Target } from './relay.ts';
import { run, type RunOptions, type RunResult } from './run.ts';
import { serve, type Behaviour, type SmallServer } from './servers.ts';
import { startSshd, type Sshd, type SshdOptions } from './sshd.ts';
import { makeTempDir, type TempDir } from './temp-dir.ts';
import { startTerminal, type Terminal, type TerminalOptions } from './terminal.ts';
import { startTunnel, type Tunnel, type TunnelOptions } from './tunnel.ts';
import { startWireguard, type WireguardNet, type WireguardOptions } from './wireguard.ts';
import { until } from './until.ts';
import { makeUser, type TestUser, type UserOptions } from './users.ts';

export interface Stoppable {
  stop(): Promise<void>;
}

/** A rig that is torn down when the test ends, however it ends. */
export async function startRig(t: { after(fn: () => Promise<void>): void }): Promise<Rig> {
  const rig = new Rig();
  t.after(() => rig.stop());
  return rig;
}

/** Starts real servers and the real program, each in a folder of its own, and ends them all, the last one first. */
export class Rig {
  /** A folder that other users may enter, with a short path. It is removed at the end. */
  readonly dir: string;
  /** For every process of a test: nothing of the person who runs it is in there. */
  readonly env: NodeJS.ProcessEnv;
  readonly #tempDir: TempDir;
  readonly #started: Promise<Stoppable>[] = [];
  #folders = 0;

  constructor() {
    this.#tempDir = makeTempDir();
    this.dir = this.#tempDir.path;
    this.env = cleanEnv(this.dir);
  }

  sshd(options: SshdOptions = {}): Promise<Sshd> {
    return this.own(startSshd(this.folder('sshd'), options));
  }

  gunicorn(options: GunicornOptions = {}): Promise<Gunicorn> {
    return this.own(startGunicorn({ ...options, dir: options.dir ?? this.folder('app') }));
  }

  caddy(options: CaddyOptions = {}): Promise<Caddy> {
    return this.own(startCaddy({ ...options, dir: options.dir ?? this.folder('caddy') }));
  }

  relay(target: Target, conditions?: Conditions): Promise<Relay> {
    return this.own(startRelay(target, conditions));
  }

  serve(behaviour: Behaviour, listen?: Parameters<typeof serve>[1]): Promise<SmallServer> {
    return this.own(serve(behaviour, listen));
  }

  user(options?: UserOptions): Promise<TestUser> {
    return this.own(makeUser(this.dir, options));
  }

  machine(options?: MachineOptions): Promise<Machine> {
    return this.own(startMachine(this.folder('net'), options));
  }

  wireguard(options?: WireguardOptions): Promise<WireguardNet> {
    return this.own(startWireguard(this.folder('wg'), options));
  }

  /** Runs `tunnel ARGS`. */
  tunnel(args: readonly string[], options: Partial<TunnelOptions> = {}): Promise<Tunnel> {
    return this.own(startTunnel(args, { env: this.env, ...options }));
  }

  /** Runs `tunnel ARGS`, or another command, in a terminal. */
  terminal(args: readonly string[], options: Partial<TerminalOptions> = {}): Promise<Terminal> {
    return this.own(startTerminal(args, { env: this.env, ...options }));
  }

  /** Starts another server, or any command that stays; ready at once unless `ready` says when. */
  start(
    command: readonly string[],
    options: Partial<Omit<ServerOptions, 'command'>> = {},
  ): Promise<ServerProcess> {
    const defaults: ServerOptions = {
      command,
      cwd: this.dir,
      env: this.env,
      ready: () => true,
      stopSignal: 'SIGTERM',
    };
    return this.own(startServer({ ...defaults, ...options }));
  }

  /** Runs another command to its end. */
  run(command: readonly string[], options: Partial<RunOptions> = {}): Promise<RunResult> {
    return run(command, { env: this.env, ...options });
  }

  /** A new folder. */
  folder(name: string): string {
    this.#folders += 1;
    const path = join(this.dir, `${name}${this.#folders}`);
    mkdirSync(path);
    return path;
  }

  /** Stops at the end what is being started, even if the test is over before it has been. */
  own<T extends Stoppable>(start: Promise<T>): Promise<T> {
    this.#started.push(start);
    return start;
  }

  /** Throws, after everything has been tried, what could not be stopped. */
  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (let start = this.#started.pop(); start; start = this.#started.pop()) {
      // A start that failed has cleaned up after itself, and the test has its error.
      const server = await start.catch(() => undefined);
      await server?.stop().catch((error: unknown) => errors.push(error));
    }
    await this.#tidied().catch((error: unknown) => errors.push(error));
    this.#tempDir.remove();
    if (errors.length > 0)
      throw new AggregateError(errors, `The rig could not stop everything in ${this.dir}`);
  }

  /** What the program keeps in the temporary directory must not outlive it, however it has ended. */
  async #tidied(): Promise<void> {
    const dir = this.env['TMPDIR'] ?? '';
    // Gone when the rig is stopped a second time.
    const left = (): string[] =>
      existsSync(dir) ? readdirSync(dir).filter((name) => /^tunnel-\w{6}$/.test(name)) : [];
    await until('the private directories of the program are gone', () => left().length === 0, {
      timeoutMs: 10_000,
    });
  }
}
