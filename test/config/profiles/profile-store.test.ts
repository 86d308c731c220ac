import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { jsonSchema } from '../../../src/config/profiles/json-schema.ts';
import { readProfiles, updateProfiles } from '../../../src/config/profiles/profile-store.ts';
import { fileShape, profileShape, type Profiles } from '../../../src/config/profiles/profile.ts';
import { check } from '../../../src/config/profiles/shape.ts';
import { UsageError } from '../../../src/errors.ts';
import { transportNames } from '../../../src/ssh/transport-name.ts';
import { makeTempDir } from '../../rig/temp-dir.ts';
import { anyProfile, profileName } from './arbitrary-profile.ts';
import { badFiles } from './bad-files.ts';

const saver = fileURLToPath(new URL('save.fixture.ts', import.meta.url));

/** A configuration directory of the test's own. */
function place(t: TestContext): { dir: string; path: string } {
  const temporary = makeTempDir();
  const dir = join(temporary.path, 'config');
  process.env['TUNNEL_CONFIG_DIR'] = dir;
  t.after(() => {
    delete process.env['TUNNEL_CONFIG_DIR'];
    temporary.remove();
  });
  return { dir, path: join(dir, 'profiles.json') };
}

const never = (message: string): never => assert.fail(message);

test('what is saved is what is loaded', async (t) => {
  place(t);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(profileName, anyProfile, { maxKeys: 3 }), async (profiles) => {
      await updateProfiles(() => profiles, never);
      assert.deepEqual(await readProfiles(never), { ...profiles });
    }),
    { numRuns: 60 },
  );
});

test('the file and its directory are for the user alone, and editors find the schema beside it', async (t) => {
  const { dir, path } = place(t);
  await updateProfiles(() => ({ vps: { host: 'vps' } }), never);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  const { $schema } = JSON.parse(readFileSync(path, 'utf8')) as { $schema: string };
  const schema = JSON.parse(readFileSync(join(dir, $schema), 'utf8')) as object;
  assert.ok('properties' in schema);
  assert.deepEqual(readdirSync(dir).toSorted(), ['profiles.json', 'profiles.schema.json']);
});

for (const [contents, key, problem, hint] of badFiles) {
  const text = JSON.stringify(contents);
  test(`${text} is refused at ${key || 'its root'}, and left as it is`, async (t) => {
    const { path } = place(t);
    await updateProfiles(() => ({}), never);
    writeFileSync(path, text);
    const refused = (error: unknown): boolean => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.exitStatus, 2);
      const spot = key === '' ? path : `${path}: ${key}`;
      assert.ok(
        error.message.startsWith(spot) && /^[ :]/.test(error.message.slice(spot.length)),
        error.message,
      );
      assert.match(error.message, problem);
      if (hint !== undefined) assert.match(error.hint.join('\n'), hint);
      return true;
    };
    await assert.rejects(readProfiles(never), refused);
    await assert.rejects(
      updateProfiles(() => ({}), never),
      refused,
    );
    assert.equal(readFileSync(path, 'utf8'), text);
  });
}

test('what would be wrong is not saved', async (t) => {
  const { path } = place(t);
  await updateProfiles(() => ({ vps: {} }), never);
  const before = readFileSync(path, 'utf8');
  await assert.rejects(
    updateProfiles(() => ({ vps: { forwards: ['x'] } }), never),
    { code: 'bad-config' },
  );
  assert.equal(readFileSync(path, 'utf8'), before);
});

for (const damaged of ['', '{', '{"version":1,"profiles":{}', '\0\0\0\0', '\ufeff', 'not json']) {
  test(`${JSON.stringify(damaged)} is moved aside and told, and never overwritten`, async (t) => {
    const { dir, path } = place(t);
    await updateProfiles(() => ({}), never);
    writeFileSync(path, damaged);
    const told: string[] = [];
    await updateProfiles(
      (profiles) => ({ ...profiles, vps: {} }),
      (message) => told.push(message),
    );
    assert.deepEqual(await readProfiles(never), { vps: {} });
    const [aside = ''] = readdirSync(dir).filter((name) => name.includes('damaged'));
    assert.equal(readFileSync(join(dir, aside), 'utf8'), damaged);
    assert.equal(told.length, 1);
    assert.ok(told[0]?.includes(path) && told[0].includes(aside), told[0]);
  });
}

test('a file of an older version is read, and written as one of this version', async (t) => {
  const { path } = place(t);
  await updateProfiles(() => ({}), never);
  writeFileSync(path, '{"profiles": {"vps": {"host": "a"}}}');
  assert.deepEqual(await readProfiles(never), { vps: { host: 'a' } });
  await updateProfiles((profiles) => profiles, never);
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { version: number }).version, 1);
});

test('a file of a later version is left alone', async (t) => {
  const { path } = place(t);
  await updateProfiles(() => ({}), never);
  writeFileSync(path, '{"version": 2, "profiles": {}, "new": true}');
  await assert.rejects(readProfiles(never), { code: 'newer-config' });
  await assert.rejects(
    updateProfiles(() => ({}), never),
    { code: 'newer-config' },
  );
  assert.match(readFileSync(path, 'utf8'), /"new"/);
});

test('a file that others may write to is refused', async (t) => {
  const { path } = place(t);
  await updateProfiles(() => ({}), never);
  chmodSync(path, 0o660);
  await assert.rejects(readProfiles(never), { code: 'unsafe-config' });
});

test('processes that save at once lose nothing', async (t) => {
  place(t);
  const children = Array.from({ length: 4 }, (_, i) => start([`p${i}-`, '10']));
  const exits = await Promise.all(children.map((child) => once(child, 'exit')));
  for (const exit of exits) assert.deepEqual(exit, [0, null]);
  assert.equal(Object.keys(await readProfiles(never)).length, 40);
});

test('kill -9 in the middle leaves the old file or the new one, and no lock that lasts', async (t) => {
  const { dir, path } = place(t);
  await updateProfiles(() => ({ first: {} }), never);
  for (let round = 0; round < 12; round++) {
    const child = start([`r${round}-`, '1000']);
    const exit = once(child, 'exit');
    const before = readFileSync(path, 'utf8');
    while (readFileSync(path, 'utf8') === before) await delay(1);
    await delay(round);
    child.kill('SIGKILL');
    await exit;
    const profiles = await readProfiles(never);
    assert.deepEqual(profiles['first'], {});
    // In the order in which they were saved, with none left out.
    const names = Object.keys(profiles).filter((name) => name.startsWith(`r${round}-`));
    assert.deepEqual(
      names,
      names.map((_, i) => `r${round}-${i}`),
    );
    await updateProfiles(({ first = {} }) => ({ first }), never);
  }
  assert.ok(!existsSync(`${path}.lock`));
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.includes('damaged')),
    [],
  );
});

function start(args: readonly string[]) {
  return spawn(process.execPath, ['--import=tsx', saver, ...args], { stdio: 'inherit' });
}

test('the schema for editors takes what the validator takes, and refuses what is wrong in kind', () => {
  const ajv = new Ajv2020({ strict: true });
  const file = ajv.compile(jsonSchema(fileShape, 'profiles'));
  const one = ajv.compile(jsonSchema(profileShape, 'profile'));
  fc.assert(
    fc.property(anyProfile, (profile) => {
      check(profileShape, profile, { file: 'x', path: [] });
      assert.ok(one(profile), JSON.stringify(one.errors));
    }),
  );
  for (const [contents, key] of badFiles) {
    const judge = (): void => check(fileShape, contents, { file: 'x', path: [] });
    assert.throws(judge, (error) => {
      // What a parser of ours has found wrong is its cause; no schema can tell that.
      if (error instanceof UsageError && error.cause === undefined) assert.equal(file(contents), false, key);
      return true;
    });
  }
});

test('a profile knows the transports that there are', () => {
  for (const transport of transportNames) {
    const profiles: Profiles = { vps: { options: { transport } } };
    check(fileShape, { version: 1, profiles }, { file: 'x', path: [] });
  }
});

test('a place that cannot be written to is told as such', async (t) => {
  const { dir } = place(t);
  writeFileSync(dir, 'a file');
  await assert.rejects(
    updateProfiles(() => ({}), never),
    (error) => error instanceof UsageError && error.code === 'unusable-config' && error.message.includes(dir),
  );
});
