import type { Client, Channel } from 'ssh2';
import type { Duplex } from 'node:stream';
import { ListenError } from '../../errors.ts';
import type { Listen } from '../../spec.ts';
import type { RemoteListener } from '../connection.ts';
import type { Channels } from './channels.ts';

/** A server that is gone without a word must not keep us from ending. */
const STOP_TIMEOUT_MS = 2000;

type Accept = () => Channel;
type OnStream = (stream: Duplex) => void;

/** What the server listens on for one client, and who takes each connection. Made once for a client. */
export class RemoteListeners {
  readonly #client: Client;
  readonly #channels: Channels;
  readonly #alias: string;
  readonly #receivers = new Map<string, OnStream>();

  constructor(client: Client, channels: Channels, alias: string) {
    this.#client = client;
    this.#channels = channels;
    this.#alias = alias;
    // Without these listeners ssh2 leaves the peer hanging.
    client.on('tcp connection', ({ destIP, destPort }, accept, reject) =>
      this.#accept(`${destIP}:${destPort}`, accept, reject),
    );
    client.on('unix connection', ({ socketPath }, accept, reject) =>
      this.#accept(socketPath, accept, reject),
    );
  }

  /** Throws a `ListenError`. `auto` lets the server choose the port. */
  async open(listen: Listen, onStream: OnStream): Promise<RemoteListener> {
    return listen.kind === 'unix'
      ? await this.#openUnix(listen.path, onStream)
      : await this.#openTcp(listen.host, listen.port === 'auto' ? 0 : listen.port, onStream);
  }

  async #openTcp(host: string | undefined, port: number, onStream: OnStream): Promise<RemoteListener> {
    // RFC 4254, section 7.1: "localhost" is both loopback addresses, "" is every address of both families.
    const address = host === undefined ? 'localhost' : host === '*' ? '' : host;
    const chosen = await new Promise<number>((resolve, reject) => {
      this.#client.forwardIn(address, port, (error, bound) => {
        if (error) return reject(this.#refused(`port ${port}`, error));
        // At once: the first connection may be in the very packet that follows.
        this.#receivers.set(`${address}:${bound}`, onStream);
        resolve(bound);
      });
    });
    return {
      bound: { kind: 'tcp', ...(host === undefined ? {} : { host }), port: chosen },
      close: () =>
        this.#stop(`${address}:${chosen}`, (done) => this.#client.unforwardIn(address, chosen, done)),
    };
  }

  async #openUnix(path: string, onStream: OnStream): Promise<RemoteListener> {
    await new Promise<void>((resolve, reject) => {
      this.#client.openssh_forwardInStreamLocal(path, (error) => {
        if (error) return reject(this.#refused(path, error));
        this.#receivers.set(path, onStream);
        resolve();
      });
    });
    return {
      bound: { kind: 'unix', path },
      close: () => this.#stop(path, (done) => this.#client.openssh_unforwardInStreamLocal(path, done)),
    };
  }

  #accept(key: string, accept: Accept, reject: () => void): void {
    const receiver = this.#receivers.get(key);
    if (receiver === undefined) return reject();
    let channel: Channel | undefined;
    const opening = this.#channels.open(() => {
      channel = accept();
    });
    if (channel !== undefined) receiver(opening.opened(channel));
  }

  async #stop(key: string, cancel: (done: () => void) => void): Promise<void> {
    this.#receivers.delete(key);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_TIMEOUT_MS);
      try {
        // It is done, too, when the connection closes.
        cancel(resolve);
      } catch {
        // The connection is gone, and with it what listened.
        resolve();
      }
    });
    clearTimeout(timer);
  }

  #refused(what: string, cause: Error): ListenError {
    return new ListenError('remote-listen-refused', `${this.#alias} does not listen on ${what} for us`, {
      cause,
      hint: [
        'It may be in use there, below 1024, or not allowed: see AllowTcpForwarding, AllowStreamLocalForwarding,',
        'PermitListen and GatewayPorts in its sshd_config.',
      ],
    });
  }
}
