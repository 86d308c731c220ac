import { networkInterfaces } from 'node:os';

/** How often the clock and the network interfaces are looked at. */
const INTERVAL_MS = 1000;

/** A timer that is this late was not late by chance: the machine slept, or the process was stopped. */
const SLEEP_MS = 2000;

export interface Surroundings {
  /** The time of day, which goes on while the machine sleeps. */
  readonly wallClock: () => number;
  /** The addresses of this machine, in a form that can be compared. */
  readonly addresses: () => string;
}

/**
 * Calls `onAwake` when a connection may have died unnoticed: after a sleep, which shows as a jump of the clock, and when
 * the machine's addresses have changed. Returns the function that stops it.
 *
 * A change of addresses is told when the new ones have stayed for one look, since interfaces come up in several steps.
 */
export function watchAwakening(
  onAwake: (why: string) => void,
  { wallClock, addresses }: Surroundings = system,
): () => void {
  let lastLook = wallClock();
  let settled = addresses();
  let seen = settled;
  const timer = setInterval(() => {
    const now = wallClock();
    const jump = now - lastLook - INTERVAL_MS;
    lastLook = now;
    const before = seen;
    seen = addresses();
    if (Math.abs(jump) > SLEEP_MS) {
      settled = seen;
      onAwake(jump > 0 ? 'a sleep' : 'a change of the clock');
    } else if (seen !== settled && seen === before) {
      settled = seen;
      onAwake('a change of the network');
    }
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

const system: Surroundings = {
  wallClock: () => Date.now(),
  addresses: () =>
    Object.entries(networkInterfaces())
      .flatMap(([name, addresses = []]) => addresses.map(({ cidr }) => `${name} ${cidr}`))
      .toSorted()
      .join('\n'),
};
