import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostSettings, SshFlags } from '../../config/settings.ts';
import { ConnectError, systemCode } from '../../errors.ts';
import type { SshContext } from '../context.ts';
import { Askpass } from './askpass.ts';
import { jumpCommand } from './jump-command.ts';
import { Login } from './login.ts';
import type { Master } from './master.ts';
import { MuxClient } from './mux-client.ts';
import { OpenOutcomes } from './open-outcomes.ts';
import type { PrivateDir } from './private-dir.ts';
import { masterArguments } from './ssh-arguments.ts';
import type { Transcript } from './transcript.ts';

/** How long ssh may take for its goodbye. */
const END_TIMEOUT_MS = 2000;
/** How long ssh's last words may take after its end: a ProxyCommand that lives on keeps the pipe open. */
const LAST_WORDS_MS = 1000;
/** What an ssh that ends says as well: of single channels, and how much it has transferred. */
const NO_REASON = /^(?:channel \d+: |Transferred: |Bytes per second: )/;
/** More than any line that is worth reading. */
const LONGEST_LINE = 64 * 1024;

type Ssh = ChildProcessByStdio<null, null, Readable>;

/**
 * Starts an ssh of our own as a master, and waits until it is logged in. Throws a `ConnectError`, or the reason of
 * `context.signal`; the process is gone then. It also ends with this process, however that ends.
 */
export async function startPrivateMaster(
  settings: HostSettings,
  flags: SshFlags,
  context: SshContext,
  dir: PrivateDir,
): Promise<Master> {
  const login = new Login(settings, context);
  const askpass =
    context.ask === undefined
      ? undefined
      : await Askpass.start(dir, (question, gone) => login.answer(question, gone));
  const controlPath = dir.join('ctl');
  try {
    const args = masterArguments(settings, flags, {
      controlPath,
      batchMode: askpass === undefined,
      jumpCommand: await jumpCommand(settings, context.signal),
    });
    context.phase('resolving');
    const ssh = await startSsh(args, askpass);
    if (ssh.pid !== undefined) dir.guard(ssh.pid);
    const outcomes = new OpenOutcomes();
    readLines(ssh.stderr, (line) => {
      login.read(line);
      outcomes.read(line.replace(/\r$/, ''));
    });
    const gone = reasonOfEnd(ssh, login.transcript);
    void gone.then(() => askpass?.close());
    const mux = await connectTo(ssh, gone, login, controlPath);
    const { address } = login.transcript;
    return { controlPath, mux, address, outcomes, gone, end: () => void end(ssh, gone) };
  } catch (error) {
    askpass?.close();
    throw error;
  }
}

async function startSsh(args: readonly string[], askpass: Askpass | undefined): Promise<Ssh> {
  // In a session of its own it has no terminal: its questions come to us, and a Ctrl-C is ours to judge.
  const env = { ...process.env, ...askpassEnvironment(askpass) };
  const ssh = spawn('ssh', args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env });
  try {
    await once(ssh, 'spawn');
  } catch (cause) {
    throw new ConnectError(
      'ssh-missing',
      `OpenSSH's ssh cannot be started: ${systemCode(cause) ?? String(cause)}`,
      {
        cause,
        hint: ['Is it installed (openssh-client), and in the PATH?'],
      },
    );
  }
  ssh.on('error', () => undefined);
  return ssh;
}

/** Before 8.4 ssh has no SSH_ASKPASS_REQUIRE; it asks so when it has no terminal and there is a DISPLAY, of any kind. */
function askpassEnvironment(askpass: Askpass | undefined): NodeJS.ProcessEnv {
  return askpass === undefined
    ? { SSH_ASKPASS_REQUIRE: 'never' }
    : { SSH_ASKPASS_REQUIRE: 'force', SSH_ASKPASS: askpass.path, DISPLAY: process.env['DISPLAY'] ?? ':0' };
}

async function connectTo(
  ssh: Ssh,
  gone: Promise<string>,
  login: Login,
  controlPath: string,
): Promise<MuxClient> {
  try {
    await login.done(gone);
    return await openControl(controlPath, login.transcript);
  } catch (error) {
    await end(ssh, gone);
    throw error;
  }
}

async function openControl(controlPath: string, { messages }: Transcript): Promise<MuxClient> {
  try {
    return await MuxClient.connect(controlPath);
  } catch (cause) {
    throw new ConnectError('control-socket', 'ssh is connected, but does not answer on its control socket', {
      cause,
      hint: messages.slice(-3),
    });
  }
}

/** SIGTERM has ssh say goodbye to the server, as `ssh -O exit` does. */
async function end(ssh: Ssh, gone: Promise<unknown>): Promise<void> {
  ssh.kill('SIGTERM');
  const timer = setTimeout(() => ssh.kill('SIGKILL'), END_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

async function reasonOfEnd(ssh: Ssh, transcript: Transcript): Promise<string> {
  const lastWords = once(ssh.stderr, 'close');
  const [status, signal] = (await once(ssh, 'exit')) as [number | null, NodeJS.Signals | null];
  await Promise.race([lastWords, delay(LAST_WORDS_MS)]);
  if (signal !== null) return `ssh was ended by ${signal}`;
  const said = transcript.messages.findLast((line) => !NO_REASON.test(line));
  return said ?? `ssh ended with status ${status}`;
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line);
  });
  stream
    .on('error', () => undefined)
    .on('end', () => {
      if (rest !== '') onLine(rest);
    });
}
