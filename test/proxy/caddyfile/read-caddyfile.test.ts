import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../../../src/errors.ts';
import { adaptHere, loadCaddyfile } from '../../../src/proxy/caddyfile/load-caddyfile.ts';
import { readAdapted } from '../../../src/proxy/caddyfile/read-adapted.ts';
import { readCaddyfile } from '../../../src/proxy/caddyfile/read-caddyfile.ts';
import type { Rule, Step } from '../../../src/proxy/rule.ts';
import { tempFolder } from '../../forward/streams.ts';
import { needs } from '../../rig/requirements.ts';

/** Caddyfiles that both readers must understand in the same way. */
const understood: Record<string, string> = {
  'that of DESIGN.md': `:8081 {
	root * webroot
	file_server
	handle_path /api/* {
		reverse_proxy unix/app.sock
	}
}`,
  'one site without braces': `:8081
root * /srv/www
file_server
`,
  'directives in any order, and matchers by their length': `:8081 {
	respond "last"
	respond /a "a"
	respond /a/b/* "b"
	respond /a/b "exact" 201
	redir /old /new permanent
	redir https://other.example{uri}
	rewrite /r /r2?x=1
	rewrite /q* /q{path}
	uri strip_prefix /pre
	uri /s/* strip_prefix s
}`,
  'handle, route and named matchers': `:8081 {
	@two path /q/* /w
	@both {
		path /b*
		host b.example
	}
	handle @two {
		respond "two"
	}
	handle @both {
		respond "both"
	}
	handle /exact {
		respond 404
	}
	handle_path /files {
		respond 1
	}
	route {
		respond /z "z"
		reverse_proxy localhost:9
	}
	handle {
		try_files {path} {path}/ /index.html?{query}
		file_server
	}
}`,
  'upstreams and their headers': `:8081 {
	reverse_proxy /ws/* localhost:1 127.0.0.1:2 {
		to :3 unix//run/app.sock
		lb_policy first
		header_up Host {upstream_hostport}
		header_up X-Real-IP {remote_host}
		header_up -Foo
		header_up +Bar "b z"
		header_down Location ^/ /x/
		header_down -Server
	}
	reverse_proxy unix//srv/app/app.sock
}`,
  'header, encode and file_server': `:8081 {
	encode zstd gzip
	header {
		X-A "b c"
		+X-B d
		-Server
		?X-C e
		X-E foo bar
	}
	header /x* X-Y z
	root /srv/* /srv
	root * /var/www
	file_server /x/* {
		root other
		index a.html b.html
		precompressed br gzip
		hide .git *.bak /var/secret
	}
	file_server
}`,
  'snippets, environment and comments': `{
	admin off
	email me@example.com
}
(proxied) {
	# not a directive
	handle_path {args.0} {
		reverse_proxy {args.1} # neither is this
	}
}
example.com, www.example.com {
	import proxied /api/* unix/api.sock
	import proxied /admin/* {$ADMIN:localhost:5000}
	respond "{$NAME} of {env.NAME}" \\
		202
}
https://two.example {
	tls internal
	respond \`a "quoted" one\`
}`,
};

const environment = { NAME: 'somebody' };

for (const [name, text] of Object.entries(understood)) {
  test(`our reader understands as Caddy does: ${name}`, async (t) => {
    if (!needs(t, 'caddy')) return;
    const folder = tempFolder(t);
    const file = join(folder, 'Caddyfile');
    writeFileSync(file, text);
    const options = { folder, environment, hide: [file] };
    process.env['NAME'] = environment.NAME;
    const adapted = readAdapted((await adaptHere(file, text)) ?? '', file, options);
    assert.deepEqual(comparable(readCaddyfile(text, file, options)), comparable(adapted));
  });
}

/** Without names, and with groups and neighbours that change nothing written in one way. */
function comparable(rules: readonly Rule[]): unknown[] {
  const groups = new Map<string, number>();
  const merged: { match: unknown; steps: unknown[]; group?: number }[] = [];
  for (const { match, steps, group } of rules) {
    const alone = group === undefined || rules.filter((rule) => rule.group === group).length < 2;
    if (!alone && !groups.has(group)) groups.set(group, groups.size);
    const number = alone ? undefined : groups.get(group);
    const last = merged.at(-1);
    const same = last !== undefined && number === undefined && last.group === undefined;
    if (same && JSON.stringify(last.match) === JSON.stringify(match))
      last.steps.push(...steps.map(comparableStep));
    else
      merged.push({
        match,
        steps: steps.map(comparableStep),
        ...(number === undefined ? {} : { group: number }),
      });
  }
  // Caddy wraps a site in one more list where a matcher names a host.
  const [only, ...others] = merged;
  const wrapped = only?.steps[0] as { readonly do: string; readonly rules: unknown[] } | undefined;
  const isWrapper = others.length === 0 && only?.steps.length === 1 && wrapped?.do === 'rules';
  return isWrapper && JSON.stringify(only?.match) === '[]' ? wrapped.rules : merged;
}

function comparableStep(step: Step): unknown {
  if (step.do === 'rules') return { ...step, rules: comparable(step.rules) };
  // JSON has the fields of an object in another order, and their names in Caddy's case.
  return JSON.parse(
    JSON.stringify(step, (key, value: unknown) =>
      value instanceof RegExp ? String(value) : sorted(key, value),
    ),
  );
}

function sorted(key: string, value: unknown): unknown {
  if (!['add', 'set', 'remove', 'replace', 'fallback'].includes(key) || !Array.isArray(value)) return value;
  return value
    .map((one) =>
      JSON.stringify(one, (_, text: unknown) => (text instanceof RegExp ? String(text) : text)).toLowerCase(),
    )
    .toSorted();
}

const refused: [string, RegExp][] = [
  [':80 {\n\tphp_fastcgi unix//run/php.sock\n}', /^Caddyfile:2: the directive php_fastcgi is not supported$/],
  [':80 {\n\n\tbasicauth * {\n\t\tme hash\n\t}\n}', /^Caddyfile:3: the directive basicauth/],
  [':80 {\n\t@a method GET\n\trespond @a 1\n}', /^Caddyfile:2: @a with method is not supported/],
  [':80 {\n\trespond @nobody 1\n}', /^Caddyfile:2: there is no matcher @nobody/],
  [
    ':80 {\n\treverse_proxy https://a:443\n}',
    /^Caddyfile:2: https:\/\/a:443: an upstream is reached over HTTP/,
  ],
  [':80 {\n\treverse_proxy a:1 {\n\t\tlb_policy random\n\t}\n}', /^Caddyfile:3: .*lb_policy random/],
  [':80 {\n\treverse_proxy a:1 {\n\t\ttransport fastcgi\n\t}\n}', /^Caddyfile:3: .*transport fastcgi/],
  [':80 {\n\tfile_server browse\n}', /^Caddyfile:2: file_server browse is not supported/],
  [':80 {\n\trespond "{http.vars.x}"\n}', /^Caddyfile:2: the placeholder \{http\.vars\.x\} is not supported/],
  [':80 {\n\timport other/*\n}', /^Caddyfile:2: there is no snippet/],
  [':80 {\n\trespond "a\n}', /^Caddyfile:2: the closing quote is missing/],
  [':80 {\n\thandle {\n\t\trespond 1\n}', /^Caddyfile:4: a closing brace is missing/],
  [':80 {\n\ttry_files {path} =404\n}', /^Caddyfile:2: try_files with a status/],
  [':80 {\n\turi replace /a /b\n}', /^Caddyfile:2: uri with \/b is not supported/],
  [':80 {\n\thandle_path {\n\t\trespond 1\n\t}\n}', /^Caddyfile:2: handle_path needs a path/],
  [':80/path {\n\trespond 1\n}', /^Caddyfile:1: the site address :80\/path is not supported/],
  ['{\n\torder a first\n}\n:80 {\n}', /^Caddyfile:2: the global option order is not supported/],
  [':80 {\n\trespond 1\n}\n:81 {\n\trespond 2\n}', /^Caddyfile: several sites differ only in their port/],
  ['', /^Caddyfile: there is no site in it/],
];
for (const [text, why] of refused) {
  test(`a Caddyfile is refused as a whole: ${why.source.slice(1, 60)}`, () => {
    assert.throws(
      () => readCaddyfile(text, 'Caddyfile', { folder: '/' }),
      (error) => error instanceof UsageError && why.test(error.message),
    );
  });
}

test('one of several sites is taken by its port or its name', () => {
  const text = ':80 {\n\trespond 201\n}\na.example:81 {\n\trespond 202\n}\n:82 {\n\trespond 203\n}';
  const answers = (site: string): string =>
    JSON.stringify(readCaddyfile(text, 'Caddyfile', { folder: '/', site }));
  assert.match(answers(':82'), /203/);
  assert.match(answers('a.example'), /202/);
  assert.throws(() => answers(':83'), { code: 'caddyfile-sites' });
});

test('relative sockets are of the remote folder, relative roots of the local one', () => {
  const text = ':80 {\n\troot * www\n\tfile_server\n\treverse_proxy /a* unix/a.sock\n}';
  const rules = (remoteFolder?: string): string =>
    JSON.stringify(readCaddyfile(text, 'Caddyfile', { folder: '/here', remoteFolder }));
  assert.match(rules(), /"folder":"\/here\/www".*"path":"\.\/a\.sock"/);
  assert.match(rules('/srv/app'), /"path":"\/srv\/app\/a\.sock"/);
  assert.match(rules('~/app'), /"path":"~\/app\/a\.sock"/);
});

test('what Caddy understands and we do not is refused with its line', async (t) => {
  const file = join(tempFolder(t), 'Caddyfile');
  writeFileSync(file, ':80 {\n\trespond 1\n\tpush /x\n}');
  const json = JSON.stringify({
    apps: { http: { servers: { s: { listen: [':80'], routes: [{ handle: [{ handler: 'push' }] }] } } } },
  });
  await assert.rejects(
    loadCaddyfile(file, { adapt: [async () => undefined, async () => json] }),
    (error) =>
      error instanceof UsageError &&
      error.message.endsWith('Caddyfile:3: the directive push is not supported'),
  );
});

test('a Caddyfile that is not there is told as such', async () => {
  await assert.rejects(loadCaddyfile('/nowhere/Caddyfile'), { code: 'caddyfile-unreadable' });
});
