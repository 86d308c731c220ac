import { parseDuration, parseReconnect } from '../../duration.ts';
import { quoted } from '../../endpoint.ts';
import { UsageError } from '../../errors.ts';
import { parseForward, parseSpec } from '../../parse-spec.ts';
import { findConflict, formatFlag } from '../../spec.ts';
import { checkUser, parseDestination } from '../destination.ts';
import { checkOption } from '../option-text.ts';
import type { ObjectShape, Shape } from './shape.ts';

/** How one host is reached and a session with it lives; each is what the flag of that name takes. */
export interface ProfileOptions {
  readonly user?: string;
  readonly port?: number;
  readonly identity?: string | readonly string[];
  readonly jump?: string;
  readonly config?: string;
  /** `-o`, each `Name=value`. */
  readonly ssh?: readonly string[];
  readonly compress?: boolean;
  readonly transport?: string;
  readonly reconnect?: string | boolean;
  readonly hold?: string;
  readonly retryDial?: string;
  readonly wait?: boolean;
}

/** What is open on one host. */
export interface ProfileSession {
  /** Absent: the profile's own name. */
  readonly host?: string;
  /** As they are typed: `8081`, `-R 9000:localhost:3000`, `-D 1080`. */
  readonly forwards?: readonly string[];
  readonly routes?: readonly string[];
  /** Where the routes are listened on. */
  readonly http?: string | number;
  readonly wireguard?: string;
  readonly via?: string;
  readonly standby?: boolean;
  readonly options?: ProfileOptions;
}

/** A saved session, or several that open side by side. */
export interface Profile extends ProfileSession {
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly sessions?: readonly ProfileSession[];
}

export type Profiles = Readonly<Record<string, Profile>>;

const text = (about: string, check?: (text: string) => void): Shape => ({
  kind: 'text',
  about,
  ...(check && { check }),
});

/** They are read where they are used: the parser is of a layer above. */
const route = text('A host name or path, "=", and where it goes: "/api/*=~/api/app.sock"', (value) => {
  if (value.trim() === '') throw new UsageError('bad-route', 'A route is empty');
});

export const forwardsShape: Shape = {
  kind: 'list',
  about: 'What to open, as it is typed: "8081", "3000:~/app/app.sock", "-R 9000:localhost:3000", "-D 1080"',
  of: text('A forward', (value) => void parseForward(value)),
};

export const localForwardsShape: Shape = {
  kind: 'list',
  about: 'What to open, as it is typed: "8081", "3000:~/app/app.sock"',
  of: text('A forward from here to there', (value) => {
    if (value.startsWith('-'))
      throw new UsageError('bad-spec', `${quoted(value)} has a flag in front, which none has here`);
    parseSpec(value);
  }),
};

export const routesShape: Shape = {
  kind: 'list',
  about: 'What a browser asks for, and where it goes',
  of: route,
};

const options: ObjectShape = {
  kind: 'object',
  about: 'How the host is reached, and how the session lives',
  keys: {
    user: text('User there (-l)', (value) => void checkUser(value, value)),
    port: { kind: 'number', about: 'Port of the SSH server (-p)', least: 1, most: 65_535 },
    identity: {
      kind: 'either',
      about: 'Private key, or several (-i)',
      of: [text('A file'), { kind: 'list', of: text('A file'), least: 1 }],
    },
    jump: text('Hosts to go through, the nearest first: "bastion,deploy@inner" (-J)', (value) => {
      if (value !== 'none') for (const hop of value.split(',')) parseDestination(hop);
    }),
    config: text('Configuration instead of ~/.ssh/config (-F)'),
    ssh: {
      kind: 'list',
      about: 'Options of ssh_config: "ConnectTimeout=10" (-o)',
      of: text('Name=value', (value) => void checkOption(value)),
    },
    compress: { kind: 'boolean', about: 'Compress (-C)' },
    transport: {
      kind: 'choice',
      about: 'Our own SSH client or the ssh program',
      of: ['auto', 'ssh2', 'openssh'],
    },
    reconnect: {
      kind: 'either',
      about: 'no, yes, or the shortest and the longest wait between two tries: "500ms..30s"',
      of: [text('no, yes or TIME..TIME', (value) => void parseReconnect(value)), { kind: 'boolean' }],
    },
    hold: text('How long a connection waits while the session is down: "15s"', duration),
    retryDial: text('How long a target that refuses is tried again: "2s"', duration),
    wait: { kind: 'boolean', about: 'Try again when the first connection fails, too' },
  },
};

const sessionKeys: Readonly<Record<string, Shape>> = {
  host: text('A host as ssh takes it', (value) => void parseDestination(value)),
  forwards: forwardsShape,
  routes: routesShape,
  http: {
    kind: 'either',
    about: 'Where the routes are listened on: a port, or "address:port"',
    of: [text('address:port'), { kind: 'number', least: 1, most: 65_535 }],
  },
  wireguard: text('The address of the host inside a WireGuard network'),
  via: { kind: 'choice', about: 'Which way the bytes go', of: ['auto', 'ssh', 'wireguard'] },
  standby: { kind: 'boolean', about: 'Have the SSH connection ready while WireGuard is used' },
  options,
};

const session: ObjectShape = {
  kind: 'object',
  about: 'One host, and what is open there',
  keys: sessionKeys,
  required: ['host'],
  check: refuseConflict,
};

export const profileShape: ObjectShape = {
  kind: 'object',
  keys: {
    $schema: text('For editors'),
    description: text('What it is for'),
    tags: { kind: 'list', about: 'Words to find it by', of: text('A word') },
    ...sessionKeys,
    sessions: { kind: 'list', about: 'Several hosts that open side by side', of: session, least: 1 },
  },
  check(value) {
    const own = Object.keys(sessionKeys).find((key) => Object.hasOwn(value, key));
    if (Object.hasOwn(value, 'sessions') && own !== undefined) {
      throw new UsageError('bad-config', `"sessions" leaves no room for "${own}" beside it`, {
        hint: ['Write it into each of the sessions.'],
      });
    }
    refuseConflict(value);
  },
};

/** The file of all profiles. */
export const fileShape: ObjectShape = {
  kind: 'object',
  keys: {
    $schema: text('For editors'),
    version: { kind: 'constant', value: 1 },
    profiles: {
      kind: 'map',
      about: 'Profiles by their names',
      of: profileShape,
      checkName: checkProfileName,
    },
  },
  required: ['version', 'profiles'],
};

/** A profile is named where a host is: what could not be one would never be found. */
export function checkProfileName(name: string): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(name) && !/^\d+$/.test(name)) return;
  throw new UsageError('bad-profile-name', `${quoted(name)} cannot be the name of a profile`, {
    hint: ['A name has letters, digits, ".", "_" and "-", and is not a number.'],
  });
}

function duration(value: string): void {
  parseDuration('a time', value);
}

function refuseConflict({ forwards }: Readonly<Record<string, unknown>>): void {
  if (!Array.isArray(forwards)) return;
  const conflict = findConflict(forwards.map((spec) => parseForward(String(spec))));
  if (conflict === undefined) return;
  const [first, second] = conflict.map(formatFlag);
  throw new UsageError('bad-config', `${first} and ${second} would listen on the same port or socket`);
}
