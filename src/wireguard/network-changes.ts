import { surroundings } from './surroundings.ts';

/** Calls the listener after each change of the network; the returned function ends it. */
export type NetworkWatch = (listener: () => void) => () => void;

const EVERY_MS = 1000;

/** A timer this late was late because the machine slept: whatever was known of the network is old. */
const SLEPT_MS = 5000;

/**
 * Looks each second whether an interface, an address or a route is another, and whether the machine has slept. It asks
 * nobody and takes no process, and does not keep this one from ending.
 */
export const networkChanges: NetworkWatch = (listener) => {
  let seen = surroundings();
  // The clock on the wall: the other one stands still during sleep on some systems.
  let last = Date.now();
  const timer = setInterval(() => {
    const now = { surroundings: surroundings(), time: Date.now() };
    const slept = now.time - last > EVERY_MS + SLEPT_MS;
    const changed = now.surroundings !== seen;
    seen = now.surroundings;
    last = now.time;
    if (changed || slept) listener();
  }, EVERY_MS).unref();
  return () => clearInterval(timer);
};
