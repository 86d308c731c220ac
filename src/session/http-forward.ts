import type { Dialer } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import type { Forward } from '../forward/forward.ts';
import type { AccessRecord } from '../proxy/access-record.ts';
import { adaptHere, loadCaddyfile, type Adapt } from '../proxy/caddyfile/load-caddyfile.ts';
import { compileRoutes } from '../proxy/compile-routes.ts';
import { openProxy } from '../proxy/open-proxy.ts';
import { parseRoute } from '../proxy/route.ts';
import type { HttpSpec } from '../spec.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { TunnelError } from '../errors.ts';

export interface HttpForwardOptions {
  readonly spec: HttpSpec;
  readonly dial: Dialer;
  readonly remoteName: string;
  /** For a Caddyfile that only the host has a Caddy for. */
  readonly connection: () => Promise<SshConnection>;
  readonly onRequest: (record: AccessRecord) => void;
  readonly onError: (error: TunnelError) => void;
}

/** A reverse proxy as a forward of a session. */
export interface HttpForward extends Forward {
  /** The way to the upstreams has changed: no connection that is idle now is used again. */
  reset(): void;
}

/** Opens the reverse proxy. Throws a `ListenError`, or a `UsageError` for routes or a Caddyfile that cannot be used. */
export async function openHttpForward(options: HttpForwardOptions): Promise<HttpForward> {
  const { spec, dial, remoteName, connection, onRequest, onError } = options;
  const { caddyfile, as, allowHosts = [], allowOrigins = [], log } = spec;
  const rules = compileRoutes(spec.routes.map(parseRoute));
  const more =
    caddyfile === undefined
      ? []
      : await loadCaddyfile(caddyfile.file, {
          adapt: [adaptHere, adaptThere(connection)],
          remoteFolder: caddyfile.remoteFolder,
        });
  const proxy = await openProxy({
    listen: spec.listen,
    rules: [...rules, ...more],
    dial,
    remoteName,
    allowHosts,
    allowOrigins,
    ...(as !== undefined && { as: { scheme: 'https', host: as } }),
    ...(log && { log: { query: log.queries, cookies: log.cookies } }),
    onRequest,
    onError,
  });
  return {
    spec,
    bound: proxy.bound,
    get open() {
      return proxy.open;
    },
    get total() {
      return proxy.total;
    },
    get bytesUp() {
      return proxy.bytesUp;
    },
    get bytesDown() {
      return proxy.bytesDown;
    },
    reset: () => proxy.reset(),
    close: (closing) => proxy.close(closing),
  };
}

/** What a command line holds on every system, with room to spare. */
const LONGEST_CADDYFILE = 48 * 1024;
const NO_SUCH_COMMAND = 127;

/** The Caddy of the host, which is given the file as it is; it only parses it. */
function adaptThere(connection: () => Promise<SshConnection>): Adapt {
  return async (_file, text) => {
    const base64 = Buffer.from(text).toString('base64');
    if (base64.length > LONGEST_CADDYFILE) return undefined;
    const ssh = await connection();
    const command = `command -v caddy >/dev/null || exit ${NO_SUCH_COMMAND}; printf %s ${base64} | base64 -d | caddy adapt --adapter caddyfile --config -`;
    const result = await ssh.exec(`/bin/sh -c '${command}'`).catch(() => undefined);
    // A host without a shell has no Caddy for us.
    if (result === undefined || result.status === NO_SUCH_COMMAND || result.status === undefined)
      return undefined;
    if (result.status === 0) return result.stdout;
    const why = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new UsageError('bad-caddyfile', why.replace(/^Error: /i, ''));
  };
}
