import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../../test/rig/rig.ts';
import type { TestUser } from '../../test/rig/users.ts';

const HOSTS = 50;
const KNOWN_HOSTS = 100;

/** Somebody with many hosts to complete, in the home that passwd names: ssh and we look there. Needs root. */
export async function makePerson(rig: Rig): Promise<TestUser> {
  const user = await rig.user();
  const folder = join(user.home, '.ssh');
  mkdirSync(folder);
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('');
  writeFileSync(
    join(folder, 'config'),
    lines(HOSTS, (index) => `Host app-${index}\n  HostName app-${index}.example.org\n  User deploy\n`),
  );
  const key = `ssh-ed25519 ${'A'.repeat(68)}`;
  writeFileSync(
    join(folder, 'known_hosts'),
    lines(KNOWN_HOSTS, (index) => `known-${index}.example.org,192.0.2.${index} ${key}\n`),
  );
  return user;
}
