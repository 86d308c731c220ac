import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverEnv } from './env.ts';
import { answers } from './http-ready.ts';
import type { Machine } from './machine.ts';
import { startServer } from './processes.ts';
import { hasIpv6 } from './requirements.ts';
import { freePort } from './servers.ts';

export interface CaddyOptions {
  /** Caddy's working directory, which `unix/app.sock` is relative to. The rig gives one. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: the loopback addresses. The rig waits for an answer on 127.0.0.1. */
  readonly bind?: readonly string[];
  /** What each path is proxied to; default `{ '/api/*': 'unix/app.sock' }`. */
  readonly proxies?: Readonly<Record<string, string>>;
  /** More lines for the site. */
  readonly config?: readonly string[];
  /** True: the admin API listens on a free port. It is off otherwise. */
  readonly admin?: boolean;
  /** Where the admin API listens instead: `localhost:2019`, `unix//run/caddy.sock`. */
  readonly adminAddress?: string;
  readonly on?: Machine;
}

export interface Caddy {
  readonly dir: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly caddyfile: string;
  /** What the file server serves: an index.html that fetches /api/frame. */
  readonly webroot: string;
  stop(): Promise<void>;
}

/** Starts Caddy with a frontend's files and a backend behind /api, and waits until it answers. */
export async function startCaddy(options: CaddyOptions & { readonly dir: string }): Promise<Caddy> {
  const { dir, on, port = await freePort() } = options;
  const adminPort = options.admin ? await freePort() : undefined;
  const webroot = join(dir, 'webroot');
  mkdirSync(webroot, { recursive: true });
  writeFileSync(join(webroot, 'index.html'), page);
  const caddyfile = join(dir, 'Caddyfile');
  writeFileSync(caddyfile, configuration(port, adminPort, options));
  const server = await startServer({
    command: [...(on?.prefix ?? []), 'caddy', 'run', '--config', caddyfile, '--adapter', 'caddyfile'],
    cwd: dir,
    env: serverEnv(dir),
    ready: () => answers({ url: `http://127.0.0.1:${port}/`, prefix: on?.prefix ?? [] }),
    stopSignal: 'SIGTERM',
  });
  return { dir, port, adminPort, caddyfile, webroot, stop: () => server.stop() };
}

/** As people write it, after a block that keeps it on this machine. */
function configuration(port: number, adminPort: number | undefined, options: CaddyOptions): string {
  const bind = options.bind ?? ['127.0.0.1', ...(hasIpv6() ? ['[::1]'] : [])];
  const proxies = Object.entries(options.proxies ?? { '/api/*': 'unix/app.sock' });
  return `{
	admin ${options.adminAddress ?? (adminPort === undefined ? 'off' : `localhost:${adminPort}`)}
	default_bind ${bind.join(' ')}
}

:${port} {
	root * webroot
	file_server
${proxies.map(([path, upstream]) => `	handle_path ${path} {\n		reverse_proxy ${upstream}\n	}\n`).join('')}${(options.config ?? []).map((line) => `	${line}\n`).join('')}}
`;
}

const page = `<!doctype html>
<title>Visits</title>
<h1>Visits</h1>
<pre id="visits">loading</pre>
<script>
  fetch('/api/frame')
    .then((response) => response.text())
    .then((text) => (document.querySelector('#visits').textContent = text));
</script>
`;
