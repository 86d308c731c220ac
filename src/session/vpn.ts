import { ConnectError, ConnectionLostError } from '../errors.ts';
import type { Dialer } from '../endpoint.ts';
import { connect } from '../ssh/connect.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { SshContext } from '../ssh/context.ts';
import { directDialer } from '../wireguard/direct-dialer.ts';
import { failOver } from '../wireguard/fail-over.ts';
import { Health, type HealthStatus } from '../wireguard/health.ts';
import type { Path, PathChange } from '../wireguard/health-state.ts';
import { overVpn } from '../wireguard/over-vpn.ts';
import { RouteGuard } from '../wireguard/route-guard.ts';
import { hostNames, type SessionPlan, type VpnPlan } from './plan.ts';

/** For SSH through the VPN: a VPN that is up answers at once, and there is another way. */
const CONNECT_TIMEOUT_SECONDS = 2;

/** The failures after which the public address is tried: nobody was there to refuse us. */
const NOBODY_THERE = new Set(['timeout', 'refused', 'unreachable', 'handshake-failed']);

/** The WireGuard side of a session: the way of new connections, and where SSH itself runs. The session closes it. */
export class Vpn {
  readonly #plan: SessionPlan;
  readonly #vpn: VpnPlan;
  readonly #guard: RouteGuard;
  readonly #direct: Dialer;
  readonly #health: Health;
  /** Those that run through the VPN. */
  readonly #inside = new Set<SshConnection>();
  #isDecided = false;

  /** `onChange` is told of each change of the way, the first decision included. */
  constructor(plan: SessionPlan, vpn: VpnPlan, onChange: (change: PathChange) => void) {
    this.#plan = plan;
    this.#vpn = vpn;
    this.#guard = new RouteGuard(vpn.address);
    this.#direct = directDialer(this.#guard);
    this.#health = new Health({ guard: this.#guard, direct: this.#direct });
    this.#health.onChange((change) => {
      this.#isDecided = true;
      if (change.via === 'ssh') this.#abandonInside(change.reason);
      onChange(change);
    });
  }

  /** Settles with the first decision. */
  get ready(): Promise<void> {
    return this.#health.ready;
  }

  get via(): Path {
    return this.#vpn.via === 'ssh' ? 'ssh' : this.#health.via;
  }

  /** Whether SSH may rest: the VPN is used, or it is not known yet whether it is. */
  get sparesSsh(): boolean {
    return !this.#isDecided || this.via === 'wireguard';
  }

  /** The address of the host in the VPN, where there is a route to it. */
  get address(): string | undefined {
    const { route } = this.#guard;
    return route?.up === true ? route.address : undefined;
  }

  status(): HealthStatus {
    return this.#health.status();
  }

  /** Straight to ports of the host while the VPN is up, else over `ssh`. */
  dialer(ssh: Dialer): Dialer {
    const { settings } = this.#plan;
    const isHost = hostNames(settings, this.#vpn);
    return failOver({ direct: this.#direct, ssh, health: this.#health, via: this.#vpn.via, isHost });
  }

  /** Connects SSH through the VPN while it is up, under the host key that is known for the host; else to its public address. */
  async connect(context: SshContext): Promise<SshConnection> {
    const { settings, flags, transport } = this.#plan;
    await this.#health.ready;
    const { address } = this;
    if (this.via === 'wireguard' && address !== undefined) {
      const way = overVpn({ settings, flags }, address);
      const impatient = { ...way.settings, connectTimeout: CONNECT_TIMEOUT_SECONDS };
      try {
        const connection = await connect(impatient, way.flags, context, transport);
        this.#inside.add(connection);
        void connection.closed.then(() => this.#inside.delete(connection));
        return connection;
      } catch (error) {
        if (!(error instanceof ConnectError) || !NOBODY_THERE.has(error.code)) throw error;
        context.debug(`no SSH through the VPN: ${error.message}`);
      }
    }
    return await connect(settings, flags, context, transport);
  }

  close(): void {
    this.#health.close();
  }

  /** Its keepalives would take a minute to notice. */
  #abandonInside(reason: string): void {
    const { alias } = this.#plan.settings;
    const lost = new ConnectionLostError(
      'wireguard-lost',
      `The way to ${alias} through the VPN is lost: ${reason}`,
    );
    for (const connection of this.#inside) connection.abandon(lost);
  }
}
