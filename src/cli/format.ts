const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `0 B`, `999 B`, `1.2 kB`, `34 MB`: powers of 1000, two digits at least. */
export function formatBytes(bytes: number): string {
  let value = Math.round(bytes);
  let unit = 0;
  // 999.5 is where rounding would show a thousand.
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `8s`, `3m 12s`, `2h 05m`, `3d 04h`, from milliseconds. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds}s`;
  if (hours === 0) return `${minutes}m ${padded(seconds % 60)}s`;
  if (hours < 24) return `${hours}h ${padded(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${padded(hours % 24)}h`;
}

/** `0.4 s`, `12 s`: how long something is waited for, from milliseconds. */
export function formatSeconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.ceil(ms / 1000)} s`;
}

function padded(number: number): string {
  return String(number).padStart(2, '0');
}
