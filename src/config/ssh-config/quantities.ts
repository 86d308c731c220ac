const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** sshd_config(5), TIME FORMATS: `90`, `1h30m`. Undefined if it is none. */
export function parseSeconds(text: string): number | undefined {
  if (!/^(\d+[smhdw]?)+$/i.test(text)) return undefined;
  const parts = text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g);
  return [...parts].reduce(
    (sum, [, count, unit]) => sum + Number(count) * SECONDS[(unit || 's') as keyof typeof SECONDS],
    0,
  );
}

/** A number of bytes such as `1G` (scan_scaled(3)). Undefined if it is none. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kmgtpe]?)$/i.exec(text) ?? [];
  return number === undefined
    ? undefined
    : Math.trunc(Number(number) * 1024 ** ' kmgtpe'.indexOf(unit.toLowerCase() || ' '));
}
