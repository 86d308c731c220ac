import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { ConnectError } from '../../errors.ts';

/**
 * Runs a ProxyCommand with the person's shell, as ssh does (sshconnect.c, ssh_proxy_connect): its standard input and
 * output are the connection, what it says on standard error is for the person. Destroying the stream ends it.
 */
export function runProxyCommand(command: string, alias: string): Duplex {
  const shell = process.env['SHELL'] ?? '/bin/sh';
  // A Ctrl-C is for us alone: open connections have time to finish. An ignored signal stays so in what is run.
  const ignoring = `trap '' INT; exec "$0" -c "$1"`;
  const child = spawn('/bin/sh', ['-c', ignoring, shell, `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new CommandStream(child, command, alias);
}

class CommandStream extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  constructor(child: ChildProcessByStdio<Writable, Readable, null>, command: string, alias: string) {
    super();
    this.#child = child;
    const fail = (what: string, cause?: unknown): void => {
      this.destroy(
        new ConnectError('proxy-command', `The ProxyCommand of ${alias} ${what}`, {
          cause,
          hint: [`It is: ${command}`],
        }),
      );
    };
    child.on('error', (error) => fail('cannot be started', error));
    child.on('exit', (status, signal) => {
      if (status !== 0) fail(`ended with ${status === null ? String(signal) : `status ${status}`}`);
    });
    // A command that has ended takes nothing more; what it ended with says more than that, and is about to be told.
    child.stdin.on('error', () => undefined);
    child.stdout.on('error', (error) => this.destroy(error));
    child.stdout.on('data', (data) => {
      if (!this.push(data)) child.stdout.pause();
    });
    child.stdout.on('end', () => this.push(null));
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(data: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(data, encoding, (error) => {
      if (!error) done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.kill('SIGHUP');
    done(error);
  }
}
