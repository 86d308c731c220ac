/** What carries a session: `auto` is ssh2, unless the host needs what only OpenSSH's own program can do. */
export const transportNames = ['auto', 'ssh2', 'openssh'] as const;

export type TransportName = (typeof transportNames)[number];
