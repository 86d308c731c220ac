import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverEnv } from './env.ts';
import { onDeath } from './last-resort.ts';
import { run } from './run.ts';

/** A system user with a group of the same name. */
export interface TestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Put before a command, runs it as this user with all its groups. */
  readonly prefix: readonly string[];
  stop(): Promise<void>;
}

export interface UserOptions {
  /** Names of groups it is in besides its own: another user's name is one. */
  readonly groups?: readonly string[];
  /** Default /bin/sh. */
  readonly shell?: string;
}

/** Makes a real user whose home is in `dir`. Needs root. Nothing of the user's may run when it is stopped. */
export async function makeUser(
  dir: string,
  { groups = [], shell = '/bin/sh' }: UserOptions = {},
): Promise<TestUser> {
  const name = `tnl-${randomBytes(4).toString('hex')}`;
  const home = join(dir, name);
  // `*` is no password, while the `!` of a locked account makes sshd refuse keys too.
  const account = ['-M', '-d', home, '-s', shell, '-p', '*', '-U', '-K', 'UMASK=022'];
  await retry(['useradd', ...account, ...(groups.length > 0 ? ['-G', groups.join(',')] : []), name]);
  const forget = onDeath(() => execFileSync('userdel', [name], { stdio: 'ignore', env: serverEnv('/') }));
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  mkdirSync(home, { mode: 0o755 });
  chownSync(home, uid, gid);
  return {
    name,
    uid,
    gid,
    home,
    prefix: ['setpriv', `--reuid=${name}`, `--regid=${name}`, '--init-groups', '--'],
    async stop() {
      await retry(['userdel', name]);
      forget();
    },
  };
}

/** The account files are locked while another test, or anybody else, changes them. */
async function retry(command: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, stderr } = await run(command, { env: serverEnv('/') });
    if (status === 0) return;
    if (attempt === 100) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}`);
    await sleep(50);
  }
}
