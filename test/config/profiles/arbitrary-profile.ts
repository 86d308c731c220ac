import * as fc from 'fast-check';
import type { Profile } from '../../../src/config/profiles/profile.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const port = fc.integer({ min: 1, max: 65_535 });
const host = fc
  .tuple(fc.option(word), word, fc.option(port))
  .map(([user, name, port]) => `${user === null ? '' : `${user}@`}${name}${port === null ? '' : `:${port}`}`);
const forward = fc.oneof(
  port.map(String),
  fc.tuple(port, word, port).map(([listen, name, there]) => `${listen}:${name}:${there}`),
  word.map((name) => `auto:/srv/${name}.sock`),
  port.map((there) => `-D ${there}`),
  fc.tuple(port, port).map(([listen, here]) => `-R ${listen}:localhost:${here}`),
);
/** What it listens on, so that no two collide. */
const forwards = fc.uniqueArray(forward, {
  maxLength: 4,
  selector: (spec) => spec.replace(/^-[A-Z] /, '').split(':')[0],
});
const time = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom('ms', 's', 'm'))
  .map((parts) => parts.join(''));

const options = fc.record(
  {
    user: word,
    port,
    identity: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    jump: fc.array(host, { minLength: 1, maxLength: 3 }).map((hops) => hops.join(',')),
    config: text,
    ssh: fc.array(
      word.map((value) => `Tag=${value}`),
      { maxLength: 3 },
    ),
    compress: fc.boolean(),
    transport: fc.constantFrom('auto', 'ssh2', 'openssh'),
    reconnect: fc.oneof(fc.boolean(), fc.constantFrom('no', 'yes', '1s..1m')),
    hold: time,
    retryDial: time,
    wait: fc.boolean(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const session = {
  forwards,
  routes: fc.array(
    word.map((path) => `/${path}/*=8081`),
    { maxLength: 3 },
  ),
  http: fc.oneof(port, word),
  wireguard: word,
  standby: fc.boolean(),
  via: fc.constantFrom('auto', 'ssh', 'wireguard'),
  options,
};

const about = { description: text, tags: fc.array(text, { maxLength: 3 }) };

export const profileName = fc.stringMatching(/^[a-zé][a-z0-9._-]{0,10}$/);

export const anyProfile: fc.Arbitrary<Profile> = fc.oneof(
  fc.record({ ...about, host, ...session }, { requiredKeys: [], noNullPrototype: true }),
  fc.record(
    {
      ...about,
      sessions: fc.array(fc.record({ host, ...session }, { requiredKeys: ['host'], noNullPrototype: true }), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['sessions'], noNullPrototype: true },
  ),
);
