import { execFile } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { localEnvironment } from '../config/local-environment.ts';
import type { HostSettings } from '../config/settings.ts';
import { tokensFor } from '../config/ssh-config/host-settings.ts';
import { splitWords } from '../config/ssh-config/split-words.ts';
import { expandOption } from '../config/tokens.ts';
import { ConnectError } from '../errors.ts';
import type { SshContext } from './context.ts';
import { fingerprint, keyType } from './known-hosts-key.ts';
import { parseKnownHosts, type KnownKey } from './known-hosts-line.ts';

/** What a KnownHostsCommand is asked for; ssh_config(5) has the meaning of each. */
export type KnownHostsPurpose = 'ORDER' | 'HOSTNAME' | 'ADDRESS';

type CommandContext = Pick<SshContext, 'warn' | 'debug' | 'signal'>;

/**
 * Runs the configured KnownHostsCommand and reads what it prints like a known_hosts file; nothing if there is none.
 * As in sshconnect.c (load_hostkeys_command) it runs without a shell. Throws a `ConnectError` ('known-hosts-command')
 * when it fails, as there may be a @revoked line that is now missing; or the reason of the context's signal.
 */
export async function askKnownHostsCommand(
  settings: HostSettings,
  purpose: KnownHostsPurpose,
  name: string,
  key: Buffer | undefined,
  context: CommandContext,
): Promise<KnownKey[]> {
  const command = settings.knownHostsCommand;
  if (command === undefined) return [];
  const [program, ...args] = commandLine(command, settings, {
    H: name,
    I: purpose,
    t: key === undefined ? 'NONE' : keyType(key),
    f: key === undefined ? 'NONE' : fingerprint(key),
    K: key?.toString('base64') ?? 'NONE',
  });
  const text = await run(program, args, command, context);
  const source = `KnownHostsCommand ${program}`;
  return parseKnownHosts(source, text, (line) =>
    context.debug(`${source}:${line}: no host key in this line`),
  );
}

function commandLine(
  command: string,
  { alias, options }: HostSettings,
  about: Readonly<Record<string, string>>,
): [string, ...string[]] {
  const [program, ...args] = splitWords(command, { comments: false }) ?? [];
  if (program === undefined) throw failed(command, 'has a quotation mark that is not closed');
  if (!isAbsolute(program)) throw failed(command, 'must begin with an absolute path');
  const local = localEnvironment();
  const tokens = { ...tokensFor(alias, options, local), ...about };
  return [program, ...args.map((word) => expandOption('KnownHostsCommand', word, tokens, local))];
}

function run(
  program: string,
  args: string[],
  command: string,
  { warn, signal }: CommandContext,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { signal }, (error, stdout, stderr) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (stderr.trim() !== '') warn(`KnownHostsCommand: ${stderr.trimEnd()}`);
      if (error !== null) return reject(failed(command, 'failed', error));
      resolve(stdout);
    });
    child.stdin?.end();
  });
}

function failed(command: string, what: string, cause?: Error): ConnectError {
  return new ConnectError('known-hosts-command', `The KnownHostsCommand ${what}`, {
    cause,
    hint: [`It is: ${command}`, ...(cause === undefined ? [] : [cause.message.trim()])],
  });
}
