import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { shellQuoted } from '../../shell-word.ts';
import type { PrivateDir } from './private-dir.ts';

/** A question of ssh's, whole: several lines for a host key. */
export interface AskpassQuestion {
  readonly text: string;
  /** SSH_ASKPASS_PROMPT (readpass.c): `confirm` wants no text but a yes, `none` is only to be shown, as for a touch. */
  readonly kind: string;
}

/** Gives what to answer, or undefined to decline. The signal is aborted when ssh no longer waits. */
export type Answer = (question: AskpassQuestion, signal: AbortSignal) => Promise<string | undefined>;

/** Runs on its own, in a process that ssh starts, and so is plain JavaScript. What it prints is ssh's answer. */
const HELPER = `
const socket = require('node:net').connect(__dirname + '/ask');
const question = { text: process.argv[2] ?? '', kind: process.env.SSH_ASKPASS_PROMPT ?? '' };
socket.write(JSON.stringify(question) + '\\n');
process.exitCode = 1;
socket.on('error', () => {});
socket.on('data', (answer) => {
  process.exitCode = 0;
  process.stdout.write(answer);
});
`;

/**
 * A program for SSH_ASKPASS that has us answer. An answer goes through a Unix socket and a pipe: it is never in the
 * arguments or the environment of a process, and in no file.
 *
 * What ssh does not tell such a program is whether an answer may be seen while it is typed.
 */
export class Askpass {
  /** The program. */
  readonly path: string;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  /** The directory must be one that only we can enter. Whoever starts it closes it. */
  static async start(dir: PrivateDir, answer: Answer): Promise<Askpass> {
    const script = dir.join('askpass.cjs');
    const program = dir.join('askpass');
    await writeFile(script, HELPER);
    // NODE_OPTIONS may name what is only there for the program that was started with it.
    const command = `unset NODE_OPTIONS\nexec ${shellQuoted(process.execPath)} ${shellQuoted(script)} "$@"\n`;
    await writeFile(program, `#!/bin/sh\n${command}`, { mode: 0o700 });
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serve(socket, answer).catch(() => socket.destroy());
    });
    server.listen(dir.join('ask'));
    await once(server, 'listening');
    return new Askpass(program, server, sockets);
  }

  private constructor(path: string, server: Server, sockets: ReadonlySet<Socket>) {
    this.path = path;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Withdraws what is being asked: ssh does not end its helper when it ends itself. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function serve(socket: Socket, answer: Answer): Promise<void> {
  const gone = new AbortController();
  socket.on('error', () => undefined).once('close', () => gone.abort());
  const question = await readQuestion(socket);
  const reply = question === undefined ? undefined : await answer(question, gone.signal);
  socket.end(reply === undefined ? '' : `${reply}\n`);
}

/** Undefined when the helper is gone before it has asked. Rejects for what is no question. */
function readQuestion(socket: Socket): Promise<AskpassQuestion | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.once('close', () => resolve(undefined));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      try {
        resolve(parseQuestion(text));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function parseQuestion(line: string): AskpassQuestion {
  const { text, kind } = JSON.parse(line) as Record<string, unknown>;
  if (typeof text !== 'string' || typeof kind !== 'string') throw new TypeError('no question');
  return { text, kind };
}
