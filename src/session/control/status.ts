import type { SshFlags } from '../../config/settings.ts';
import type { TransportName } from '../../ssh/transport-name.ts';
import { version } from '../../version.ts';
import type { SessionPlan, VpnPlan } from '../plan.ts';
import { errorReport, forwardReport, type ErrorReport, type ForwardReport } from '../report.ts';
import type { Session } from '../session.ts';
import type { Path } from '../../wireguard/health-state.ts';
import type { StateName } from '../state.ts';

/** A session as `GET /v1/status`, `tunnel status` and `tunnel ls` show it. */
export interface SessionStatus {
  readonly version: string;
  /** As it is called on the command line: `vps`, `deploy@vps:2222`. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly state: Exclude<StateName, 'idle'>;
  readonly via: Path;
  /** Why that way, where there are two. */
  readonly viaReason?: string;
  readonly user?: string;
  readonly address?: string;
  readonly uptimeSeconds: number;
  /** While `waiting`: until the next try. */
  readonly retryInSeconds?: number;
  /** While `waiting`: why. */
  readonly error?: ErrorReport;
  /** Of the configuration that it was started with: equal ones connect alike. */
  readonly fingerprint: string;
  /** What it was opened with. */
  readonly flags: SshFlags;
  readonly transport: TransportName;
  readonly vpn?: VpnPlan;
  readonly forwards: readonly ForwardReport[];
}

export function sessionStatus(
  session: Session,
  { fingerprint, flags, transport, vpn }: SessionPlan,
  name: string,
  startedAt: number,
): SessionStatus {
  const { state, account } = session;
  const now = performance.now();
  return {
    version,
    name,
    host: session.host,
    pid: process.pid,
    // One that rests and is not ready has yet to find its way.
    state: session.isReady ? 'ready' : state.name === 'idle' ? 'connecting' : state.name,
    via: session.via,
    ...(session.viaReason !== undefined && { viaReason: session.viaReason }),
    ...account,
    uptimeSeconds: Math.floor((now - startedAt) / 1000),
    ...(state.name === 'waiting' && {
      retryInSeconds: Math.max(0, Math.ceil((state.retryAt - now) / 1000)),
      error: errorReport(state.reason),
    }),
    fingerprint,
    flags,
    transport,
    ...(vpn && { vpn }),
    forwards: session.forwards.map(forwardReport),
  };
}
