import type { TunnelError } from '../../errors.ts';

const WINDOW_MS = 5000;

/**
 * Keeps an error that comes again and again from flooding: it is printed at once the first time, and then counted,
 * with one line for each window in which it came again.
 */
export function countRepeats(
  print: (error: TunnelError, times: number | undefined) => void,
  windowMs = WINDOW_MS,
): { add: (error: TunnelError) => void; flush: () => void } {
  const recent = new Map<string, { error: TunnelError; times: number; timer: NodeJS.Timeout }>();

  const endWindow = (key: string) => {
    const entry = recent.get(key);
    if (!entry) return;
    if (entry.times === 0) {
      clearInterval(entry.timer);
      recent.delete(key);
    } else {
      print(entry.error, entry.times);
      entry.times = 0;
    }
  };

  return {
    add(error) {
      const key = `${error.code} ${error.message}`;
      const entry = recent.get(key);
      if (entry) {
        entry.times++;
        return;
      }
      recent.set(key, { error, times: 0, timer: setInterval(endWindow, windowMs, key).unref() });
      print(error, undefined);
    },
    flush() {
      for (const { error, times, timer } of recent.values()) {
        clearInterval(timer);
        if (times > 0) print(error, times);
      }
      recent.clear();
    },
  };
}
