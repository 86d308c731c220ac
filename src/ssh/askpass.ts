import {
  spawn,
  type ChildProcessByStdio,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
} from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Ask, Question } from './context.ts';

const DEFAULT_PROGRAM = '/usr/bin/ssh-askpass';

/**
 * Who is to be asked, as readpass.c (read_passphrase) chooses: `terminal`, or the program that SSH_ASKPASS names when
 * there is no terminal but a display. SSH_ASKPASS_REQUIRE makes that `never`, `prefer` the program, or `force` it, which
 * needs no display. Undefined when nobody can be asked.
 */
export function askWith(
  terminal: Ask | undefined,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Ask | undefined {
  const required = env['SSH_ASKPASS_REQUIRE']?.toLowerCase();
  const hasDisplay = Boolean(env['DISPLAY']) || Boolean(env['WAYLAND_DISPLAY']);
  const allowed = required === 'force' || (required !== 'never' && hasDisplay);
  const preferred = required === 'force' || required === 'prefer';
  if (!allowed || (terminal !== undefined && !preferred)) return terminal;
  const program = env['SSH_ASKPASS'] ?? DEFAULT_PROGRAM;
  if (!existsSync(program)) return terminal;
  return (question, signal) => askProgram(program, question, env, signal);
}

/**
 * What the program prints is the answer, which so is in no argument, no file and no environment. It declines with a
 * status other than 0, and for a question that wants yes or no (SSH_ASKPASS_PROMPT) its status is the whole answer.
 */
async function askProgram(
  program: string,
  { text: question, confirm }: Question,
  env: Readonly<NodeJS.ProcessEnv>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const child = start(program, [withoutControls(question)], {
    env: { ...env, ...(confirm === true ? { SSH_ASKPASS_PROMPT: 'confirm' } : {}) },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(signal && { signal }),
  });
  if (child === undefined) return undefined;
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  const answer = await text(child.stdout).catch(() => '');
  if ((await ended) !== 0 || signal?.aborted) return undefined;
  return confirm === true ? 'yes' : answer.replace(/[\r\n].*$/s, '');
}

/** Undefined where the system refuses at once, as it does for a question that is longer than an argument may be. */
function start(
  program: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioNull, StdioPipe, StdioNull>,
): ChildProcessByStdio<null, Readable, null> | undefined {
  try {
    return spawn(program, args, options);
  } catch {
    return undefined;
  }
}

/** A part of the question may be the server's. */
function withoutControls(question: string): string {
  return question.replace(/(?!\n)\p{Cc}/gu, '\uFFFD');
}
