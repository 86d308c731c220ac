import type { Traffic } from '../../session/session.ts';

/** Shorter than this, a rate says more about the clock than about the traffic. */
const MIN_INTERVAL_MS = 500;

/** Bytes a second each way, between the last two looks that were far enough apart. */
export function rateMeter(
  now: () => number = () => performance.now(),
): (traffic: Traffic) => { up: number; down: number } {
  let last: { time: number; bytesUp: number; bytesDown: number } | undefined;
  let rate = { up: 0, down: 0 };
  return ({ bytesUp, bytesDown }) => {
    const time = now();
    if (last && time - last.time < MIN_INTERVAL_MS) return rate;
    if (last) {
      const seconds = (time - last.time) / 1000;
      rate = { up: (bytesUp - last.bytesUp) / seconds, down: (bytesDown - last.bytesDown) / seconds };
    }
    last = { time, bytesUp, bytesDown };
    return rate;
  };
}
