/** Which way a connection goes. */
export type Path = 'wireguard' | 'ssh';

/** What is believed of the VPN. */
export interface HealthState {
  readonly via: Path;
  /** Why, for people. */
  readonly reason: string;
  /** When it was decided, in ms of a clock that only goes forward. */
  readonly since: number;
  /** Since when the VPN has been up without a break, while it is not used yet. */
  readonly upSince?: number;
}

/** What was seen of the VPN. */
export interface Sighting {
  readonly up: boolean;
  readonly reason: string;
  readonly at: number;
  /** When the first sign of it was there, which the time that a change took is counted from; default `at`. */
  readonly from?: number;
}

/** The way for new connections has changed. */
export interface PathChange {
  readonly via: Path;
  readonly reason: string;
  /** From the first sign of it to the decision. */
  readonly tookMs: number;
}

export interface Step {
  readonly state: HealthState;
  readonly change?: PathChange;
}

/**
 * Decides by what was seen. The first sighting decides at once, and so does any that the VPN is down; it is used again
 * only after it has been up for `holdMs`, so that one which comes and goes does not take connections with it each time.
 */
export function afterSighting(before: HealthState | undefined, seen: Sighting, holdMs: number): Step {
  const { up, reason, at, from = at } = seen;
  if (before === undefined) return decide(up ? 'wireguard' : 'ssh', reason, at, from);
  if (before.via === 'wireguard') return up ? { state: before } : decide('ssh', reason, at, from);
  if (!up) return { state: { via: 'ssh', reason, since: before.since } };
  const { upSince = at } = before;
  if (at - upSince >= holdMs) return decide('wireguard', reason, at, upSince);
  return { state: { ...before, upSince } };
}

function decide(via: Path, reason: string, at: number, from: number): Step {
  return { state: { via, reason, since: at }, change: { via, reason, tookMs: Math.max(0, at - from) } };
}
