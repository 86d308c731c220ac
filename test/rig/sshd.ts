import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { serverEnv } from './env.ts';
import type { Machine } from './machine.ts';
import { startServer, type ServerProcess } from './processes.ts';
import { startRelay, type Relay } from './relay.ts';
import { find } from './requirements.ts';
import { freePort } from './servers.ts';
import { writeSshClient, type SshClient, type SshClientOptions } from './ssh-client.ts';
import { makeKey, type KeyPair, type KeyType } from './ssh-keys.ts';
import { sshdConfig } from './sshd-config.ts';
import type { TestUser } from './users.ts';

export interface SshdOptions {
  /** Lines of sshd_config; they win over the rig's own. */
  readonly config?: readonly string[];
  /** Default: one of type ed25519. */
  readonly hostKeys?: readonly KeyType[];
  /** Who logs in; default whoever runs the tests, with a home of the rig's. */
  readonly user?: TestUser;
  /** Default 127.0.0.1. */
  readonly listenAddress?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** True: the client goes through a relay, `sshd.relay`; so it does on a machine of its own, unless this is false. */
  readonly relay?: boolean;
  readonly on?: Machine;
}

/** What a client is to be like where it is not as `Sshd.client`. */
export type ClientChanges = Partial<
  Pick<SshClientOptions, 'name' | 'hostname' | 'port' | 'user' | 'known' | 'config' | 'identity'>
>;

/** Starts a real OpenSSH server with keys and a configuration of its own in `dir`. */
export async function startSshd(dir: string, options: SshdOptions = {}): Promise<Sshd> {
  const keys = {
    hostKeys: await makeHostKeys(dir, options),
    identity: await makeKey(join(dir, 'id_ed25519')),
  };
  const sshd = new Sshd(dir, options.port ?? (await freePort()), keys, options);
  await sshd.start();
  return sshd;
}

interface Keys {
  readonly hostKeys: readonly KeyPair[];
  readonly identity: KeyPair;
}

export class Sshd {
  readonly dir: string;
  /** Where sshd itself listens; a client uses `client.port`. */
  readonly port: number;
  /** What `~` is there. */
  readonly home: string;
  readonly identity: KeyPair;
  hostKeys: readonly KeyPair[];
  relay: Relay | undefined;
  #client: SshClient | undefined;
  #process: ServerProcess | undefined;
  readonly #options: SshdOptions;

  constructor(dir: string, port: number, { hostKeys, identity }: Keys, options: SshdOptions) {
    this.dir = dir;
    this.port = port;
    this.identity = identity;
    this.hostKeys = hostKeys;
    this.home = options.user?.home ?? join(dir, 'home');
    this.#options = options;
    mkdirSync(this.home, { recursive: true });
    writeFileSync(this.#file('authorized_keys'), `${identity.publicKey}\n`);
  }

  /** Logs in with `identity`, knows the host keys; its `Host` is `vps`. */
  get client(): SshClient {
    return (this.#client ??= this.writeClient());
  }

  /** Everything sshd has logged, at LogLevel VERBOSE. */
  log(): string {
    return readFileSync(this.#file('sshd.log'), 'utf8');
  }

  /** Lets a public key (`ssh-ed25519 AAAA…`) log in as well. */
  authorize(publicKey: string): void {
    appendFileSync(this.#file('authorized_keys'), `${publicKey}\n`);
  }

  /** An ssh_config and known_hosts; a `name` other than `vps` keeps them apart from what was written before. */
  writeClient(changes: ClientChanges = {}): SshClient {
    return writeSshClient(this.dir, {
      hostname: this.relay?.host ?? this.#address,
      port: this.relay?.port ?? this.port,
      user: this.#options.user?.name ?? userInfo().username,
      identity: this.identity,
      hostKeys: this.hostKeys,
      ...changes,
    });
  }

  /** On its port, when it does not run; nothing of it is left when this throws. */
  async start(config: readonly string[] = this.#options.config ?? []): Promise<void> {
    // sshd as root wants this directory to be there, and leaves it.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    writeFileSync(this.#file('sshd_config'), this.#configuration(config));
    writeFileSync(this.#file('sshd.log'), '');
    try {
      this.#process = await this.#startProcess();
      await this.#startRelay();
    } catch (cause) {
      await this.stop();
      throw new Error(`sshd did not start. It logged:\n${this.log()}`, { cause });
    }
  }

  /** Ends sshd and its sessions, and starts it on the same port. New host keys make the known ones wrong. */
  async restart(
    changes: { readonly config?: readonly string[]; readonly newHostKeys?: boolean } = {},
  ): Promise<void> {
    await this.#process?.stop();
    if (changes.newHostKeys) this.hostKeys = await makeHostKeys(this.dir, this.#options);
    await this.start(changes.config);
  }

  /** Ends the sessions alone, without a goodbye; the listener goes on. */
  killSessions(): void {
    const pid = this.#process?.pid ?? 0;
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')) {
      if (child !== '') process.kill(Number(child), 'SIGKILL');
    }
  }

  /** Ends the listener and its sessions; `start` begins anew. */
  async kill(): Promise<void> {
    await this.#process?.stop();
  }

  /** Ends the listener, every session and the relay. */
  async stop(): Promise<void> {
    await this.#process?.stop();
    await this.relay?.stop();
  }

  #startProcess(): Promise<ServerProcess> {
    const sshd = [
      find('sshd') ?? 'sshd',
      '-D',
      '-f',
      this.#file('sshd_config'),
      '-E',
      this.#file('sshd.log'),
    ];
    return startServer({
      command: [...(this.#options.on?.prefix ?? []), ...sshd],
      cwd: this.dir,
      env: serverEnv(this.dir),
      ready: () => this.log().includes('Server listening on'),
      stopSignal: 'SIGKILL',
    });
  }

  async #startRelay(): Promise<void> {
    const { on, relay } = this.#options;
    if (relay === false) return;
    if (on) this.relay ??= await startRelay({ path: await on.expose(this.port) });
    else if (relay) this.relay ??= await startRelay({ port: this.port });
  }

  get #address(): string {
    return this.#options.listenAddress ?? '127.0.0.1';
  }

  #file(name: string): string {
    return join(this.dir, name);
  }

  #configuration(lines: readonly string[]): string {
    return sshdConfig({
      dir: this.dir,
      address: this.#address,
      port: this.port,
      hostKeys: this.hostKeys,
      authorizedKeys: this.#file('authorized_keys'),
      lines,
      home: this.home,
    });
  }
}

function makeHostKeys(dir: string, { hostKeys = ['ed25519'] }: SshdOptions): Promise<KeyPair[]> {
  return Promise.all(hostKeys.map((type) => makeKey(join(dir, `host_${type}`), type)));
}
