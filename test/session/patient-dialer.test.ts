import assert from 'node:assert/strict';
import { PassThrough, type Duplex } from 'node:stream';
import { test } from 'node:test';
import type { Endpoint } from '../../src/endpoint.ts';
import { ConnectionLostError, DialError, type TunnelError } from '../../src/errors.ts';
import { patientDialer } from '../../src/session/patient-dialer.ts';
import type { State } from '../../src/session/state.ts';
import { ChannelOpenError } from '../../src/ssh/channel-open-error.ts';
import type { SshConnection } from '../../src/ssh/connection.ts';

const socket: Endpoint = { kind: 'unix', path: '/app.sock' };
const port: Endpoint = { kind: 'tcp', host: 'localhost', port: 80 };
const lost = new ConnectionLostError('connection-lost', 'Lost');

/** A connection whose dials do what they are told, in turn; the last goes on. */
class Connection {
  dials = 0;
  readonly closed: Promise<TunnelError | undefined>;
  lose!: () => void;
  readonly #outcomes: (Error | Duplex)[];

  constructor(...outcomes: (Error | Duplex)[]) {
    this.#outcomes = outcomes;
    this.closed = new Promise((resolve) => {
      this.lose = () => resolve(lost);
    });
  }

  readonly dial = async (): Promise<Duplex> => {
    const outcome = this.#outcomes[Math.min(this.dials, this.#outcomes.length - 1)];
    this.dials += 1;
    if (outcome instanceof Error) throw outcome;
    return outcome as Duplex;
  };
}

/** Gives connections in turn, whenever one is asked for. */
class Links {
  readonly state: State = { name: 'waiting', retryAt: 0, reason: lost };
  current: SshConnection | undefined;
  readonly #connections: Connection[];

  constructor(...connections: Connection[]) {
    this.#connections = connections;
  }

  async connection(signal?: AbortSignal): Promise<SshConnection> {
    const next = this.#connections.shift();
    if (next !== undefined) return next as unknown as SshConnection;
    return await new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }
}

const patience = { holdMs: 200, retryDialMs: 400 };
const explain = (connection: SshConnection) => async (endpoint: Endpoint, signal?: AbortSignal) => {
  try {
    return await connection.dial(endpoint, signal);
  } catch (error) {
    throw error instanceof ChannelOpenError
      ? new DialError('explained', 'Explained', { cause: error })
      : error;
  }
};

function refusal(endpoint: Endpoint, reason: number, words: string): ChannelOpenError {
  return new ChannelOpenError(endpoint, reason, new Error(words));
}

test('a target that refuses at first is tried again until it is there', async () => {
  const stream = new PassThrough();
  const connection = new Connection(
    refusal(socket, 2, 'open failed'),
    refusal(socket, 2, 'open failed'),
    stream,
  );
  const dial = patientDialer(new Links(connection), explain, patience);
  assert.equal(await dial(socket), stream);
  assert.equal(connection.dials, 3);
});

test('a target that goes on refusing is explained in the end', async () => {
  const connection = new Connection(refusal(port, 2, 'Connection refused'));
  const dial = patientDialer(new Links(connection), explain, patience);
  await assert.rejects(dial(port), { code: 'explained' });
  assert.ok(connection.dials > 2);
});

for (const [what, error] of [
  ['what is prohibited', refusal(port, 1, 'open failed')],
  ['a name that nobody knows', refusal(port, 2, 'Name or service not known')],
] as const) {
  test(`${what} is not tried again, but explained at once`, async () => {
    const connection = new Connection(error);
    const dial = patientDialer(new Links(connection), explain, patience);
    await assert.rejects(dial(port), { code: 'explained' });
    assert.equal(connection.dials, 2, 'once as it is, and once to explain');
  });
}

test('a dial that is under way when the connection is lost is made over the next one', async () => {
  const stream = new PassThrough();
  const [first, second] = [new Connection(lost), new Connection(stream)];
  first.lose();
  const dial = patientDialer(new Links(first, second), explain, patience);
  assert.equal(await dial(port), stream);
});

test('what is held longer than it may be fails, with the reason why there is no connection', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dialled = patientDialer(new Links(), explain, patience)(port);
  t.mock.timers.tick(patience.holdMs);
  await assert.rejects(dialled, (error: ConnectionLostError) => {
    assert.equal(error.code, 'held-too-long');
    assert.match(error.message, /held for 0\.2 s .* Lost$/);
    return true;
  });
});

test('a client that leaves is waited for no longer, be it held or between two tries', async () => {
  for (const links of [new Links(), new Links(new Connection(refusal(socket, 2, 'open failed')))]) {
    const leaving = new AbortController();
    const dial = patientDialer(links, explain, { holdMs: 60_000, retryDialMs: 60_000 });
    const dialled = dial(socket, leaving.signal);
    leaving.abort(new Error('left'));
    await assert.rejects(dialled, /left|aborted/);
  }
});
