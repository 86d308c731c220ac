import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomSha256 } from '../rig/random.ts';
import type { Chance } from './chance.ts';

/** What became of the requests of all clients. */
export interface Tally {
  answered: number;
  /** Ended in an error that the client saw. */
  failed: number;
  /** Complete answers with other bytes than they should have: there must be none. */
  readonly wrong: number[];
}

const LENGTHS = [0, 1, 1000, 65_536, 300_000, 2_000_000];
const PAUSE_MS = 30;
/** A request that has no end at all by then counts as never reported. */
const LIMIT_MS = 120_000;

let numbers = 0;

/** Asks again and again until it is told to stop; every other client keeps its connection. Rejects for a silent failure. */
export async function runClient(
  port: number,
  chance: Chance,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const keepAlive = chance.number() < 0.5;
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  while (!signal.aborted) {
    const number = (numbers += 1);
    const length = chance.one(LENGTHS);
    const outcome = await ask(port, agent, number, length);
    if (outcome === 'failed') tally.failed += 1;
    else if (outcome === randomSha256(`answer ${number}`, length)) tally.answered += 1;
    else tally.wrong.push(number);
    await sleep(PAUSE_MS);
  }
  agent.destroy();
}

/** The SHA-256 of a complete answer. */
async function ask(port: number, agent: Agent, number: number, length: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const fail = (): void => resolve('failed');
    const limit = setTimeout(() => reject(new Error(`Request ${number} has no end`)), LIMIT_MS);
    const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: `/${number}/${length}` });
    sent.once('error', fail).once('close', () => clearTimeout(limit));
    sent.once('response', (response) => {
      const hash = createHash('sha256');
      response.on('data', (data: Buffer) => hash.update(data));
      response.once('error', fail).once('end', () => {
        // The reverse proxy tells with another status.
        const isAnswer = response.statusCode === 200 && response.complete;
        resolve(isAnswer ? hash.digest('hex') : 'failed');
      });
    });
    sent.end(`request ${number}`);
  });
}
