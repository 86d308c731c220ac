import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { loadCaddyfile } from '../../src/proxy/caddyfile/load-caddyfile.ts';
import { needs } from '../rig/requirements.ts';
import { startRig } from '../rig/rig.ts';
import { freePort } from '../rig/servers.ts';
import { requests, type Case } from './side-by-side-requests.ts';
import { type Answer, ask, start, startUpstream } from './start.ts';

/** Not of the answer itself, or always different: see `differs` for those that are so for a reason. */
const ignored = new Set([
  'date',
  'server',
  'connection',
  'keep-alive',
  'transfer-encoding',
  // Both send a validator of their own making; that it works is tested by the conditional requests.
  'etag',
  // Go's server adds it where Caddy's file server answers itself; a browser does not need it for what has a type.
  'x-content-type-options',
]);

/** The differences there are, each with the reason why it is right. */
const differs: [string, (one: Case, caddy: Answer, ours: Answer) => boolean][] = [
  [
    'A question mark with nothing behind it is not passed on by http-proxy; the query is empty either way.',
    ({ path }, caddy, ours) =>
      path.endsWith('?') &&
      sameBut(['content-length'], caddy, ours) &&
      caddy.body.replace('?"', '"') === ours.body,
  ],
  [
    'Caddy before 2.7 leaves dots at the end out when it matches, for the sake of Windows, so that /api/.. is under /api/.',
    ({ path }, caddy, ours) =>
      path.endsWith('..') && caddy.status === 200 && (ours.status === 404 || ours.body === '<h1>Home</h1>'),
  ],
  [
    'Caddy before 2.7 escapes !()* when it takes a prefix off. We pass the path on as it was written (RFC 3986: the same).',
    ({ path }, caddy, ours) =>
      path.includes('!') &&
      sameBut(['content-length'], caddy, ours) &&
      caddy.body.replace('%21$&%27%28%29%2A', () => "!$&'()*") === ours.body,
  ],
  [
    'What is negotiated must say so to caches (RFC 9110, section 12.5.5), also when it came out uncompressed.',
    (_, caddy, ours) =>
      caddy.headers.vary === undefined &&
      ours.headers.vary === 'Accept-Encoding' &&
      sameBut(['vary'], caddy, ours) &&
      caddy.body === ours.body,
  ],
  [
    'A redirect has no body here, and keeps the query, as Caddy does since 2.8.',
    ({ path }, caddy, ours) =>
      ours.status === 308 &&
      sameBut(['location', 'content-length', 'content-type'], caddy, ours) &&
      ours.headers.location === withSlash(path),
  ],
  [
    'A range in a unit that is not known is ignored (RFC 9110, section 14.2).',
    ({ headers }, caddy, ours) =>
      headers?.['Range'] === 'items=0-9' && caddy.status === 416 && ours.status === 200,
  ],
  [
    'A 304 may carry what the 200 would have (RFC 9110, section 15.4.5); Go takes out what an app or a file server sends.',
    (_, caddy, ours) =>
      ours.status === 304 && sameBut(Object.keys(ours.headers), caddy, ours) && ours.body === '',
  ],
  [
    'A client that takes trailers is believed, so that the app may send some.',
    ({ headers }, caddy, ours) =>
      headers?.['TE'] === 'trailers' &&
      sameBut(['content-length'], caddy, ours) &&
      caddy.body === ours.body.replace('"te":"trailers",', ''),
  ],
  [
    'Our error answers are pages that say what is wrong; Caddy has an empty body. A 404 and so on have the same status.',
    (_, caddy, ours) => ours.headers['tunnel-error'] !== undefined && ours.status === caddy.status,
  ],
];

/** Whether the status is the same, and every other field of the header. */
function sameBut(fields: readonly string[], caddy: Answer, ours: Answer): boolean {
  const [one, other] = [caddy, ours].map((answer) =>
    Object.entries(relevant(answer)).filter(([name]) => !fields.includes(name)),
  );
  return caddy.status === ours.status && isDeepStrictEqual(one?.toSorted(), other?.toSorted());
}

function withSlash(path: string): string {
  const [folder = '', query] = path.split('?');
  return `${folder}/${query === undefined ? '' : `?${query}`}`;
}

function relevant(answer: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !ignored.has(name)));
}

test(`${requests.length} requests get the same answer as from Caddy with the same Caddyfile`, async (t) => {
  if (!needs(t, 'caddy')) return;
  const rig = await startRig(t);
  const dir = rig.folder('site');
  const app = await startUpstream(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      response.statusCode = Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200);
      response.setHeader('Content-Type', 'application/json');
      response.setHeader('Set-Cookie', ['a=1', 'b=2; Path=/']);
      response.setHeader('X-Up', 'from the app');
      const { method, url, headers } = request;
      const seen = {
        method,
        url,
        length: body.length,
        first: String(body.subarray(0, 20)),
        headers: kept(headers),
      };
      response.end(JSON.stringify(seen));
    });
  });
  writeFiles(dir);
  const caddyPort = await freePort();
  const caddyfile = join(dir, 'Caddyfile');
  writeFileSync(caddyfile, configuration(caddyPort, app.port));
  await rig.start(['caddy', 'run', '--config', caddyfile, '--adapter', 'caddyfile'], {
    cwd: dir,
    ready: () =>
      ask(caddyPort, '/').then(
        () => true,
        () => false,
      ),
  });
  const { port } = await start(t, { rules: await loadCaddyfile(caddyfile) });

  const unexplained: unknown[] = [];
  const used = new Set<string>();
  for (const one of requests) {
    const options = { ...one, headers: { Host: 'localhost', ...one.headers } };
    const [caddy, ours] = [await ask(caddyPort, one.path, options), await ask(port, one.path, options)];
    const same = [caddy, ours].map(({ status, body, ...rest }) => ({
      status,
      body,
      headers: relevant({ status, body, ...rest }),
    }));
    try {
      assert.deepEqual(same[1], same[0]);
    } catch {
      const reason = differs.find(([, holds]) => holds(one, caddy, ours))?.[0];
      if (reason !== undefined) used.add(reason);
      else unexplained.push({ one, caddy: same[0], ours: same[1] });
    }
  }
  assert.deepEqual(unexplained, []);
  const unused = differs.map(([reason]) => reason).filter((reason) => !used.has(reason));
  assert.deepEqual(
    unused.filter((reason) => !reason.startsWith('Caddy before')),
    [],
  );
});

/** What the app sees, without what is said of the connection and the port, and X-Forwarded-Prefix, which Caddy has not. */
function kept(headers: NodeJS.Dict<string | string[]>): Record<string, unknown> {
  const skipped = [
    'connection',
    'x-forwarded-prefix',
    'accept-encoding',
    'user-agent',
    'transfer-encoding',
    'content-length',
  ];
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !skipped.includes(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function configuration(port: number, app: number): string {
  return `{
	admin off
	default_bind 127.0.0.1
}

:${port} {
	root * webroot
	file_server {
		precompressed gzip
	}
	header /headers/* X-Set "from the Caddyfile"
	header /hidden-headers/* -X-Up
	redir /old/* /new{uri} permanent
	redir /temporary https://example.com{uri}
	rewrite /rewritten/* /api-of-rewrite{path}
	respond /health "fine" 200
	respond /teapot 418
	handle_path /api/* {
		reverse_proxy localhost:${app}
	}
	handle /keep/* {
		reverse_proxy localhost:${app} {
			header_up X-Host {host}
			header_up -X-Secret
			header_down -X-Up
		}
	}
	@named path /named/* *.special
	handle @named {
		reverse_proxy localhost:${app}
	}
	handle /spa/* {
		uri strip_prefix /spa
		try_files {path} {path}/ /index.html?{query}
		file_server
	}
	reverse_proxy /api-of-rewrite/* localhost:${app}
	reverse_proxy /headers/* localhost:${app}
	reverse_proxy /hidden-headers/* localhost:${app}
}
`;
}

/** In the middle of a second: how a fraction is rounded is no difference that counts. */
const changedAt = new Date('2026-01-02T03:04:05.500Z');

function writeFiles(dir: string): void {
  const files: Record<string, string | Buffer> = {
    'index.html': '<h1>Home</h1>',
    'a.txt': 'abcdefghij'.repeat(100),
    'app.js': 'console.log(1)',
    'style.css': 'body { color: red }',
    'style.css.gz': gzipSync('body { color: red }'),
    'page.html': '<p>page</p>',
    'pixel.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'docs/index.html': '<h1>Docs</h1>',
    'docs/deep/x.html': '<p>deep</p>',
    'with space.txt': 'space',
    'ü.txt': 'umlaut',
    'empty.txt': '',
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, 'webroot', name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, changedAt, changedAt);
  }
}
