/** A request that is made twice. */
export interface Case {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** What may stand after a prefix: encodings, dots, doubled slashes, queries. */
const rests = [
  '',
  'x',
  'x/',
  'x/y/z',
  'x?',
  'x?a=b&c=%20d',
  'x?a=b?c',
  'x?%zz',
  'a%2Fb',
  'a%2fb/c',
  'a%20b',
  '%61%62',
  '%C3%BC',
  '%ff',
  'a+b',
  'a;b=c',
  'a:b@c',
  "!$&'()*,",
  '~tilde',
  './x',
  '../x',
  'x/../y',
  'x/./y',
  'x/..',
  'x/.',
  'x/y/..',
  '..',
  '%2e%2e/x',
  '%2E/x',
  '..%2fx',
  '/x',
  'x//y',
  '//x//',
];

/** Prefixes whose paths are cleaned before they are sent, and those whose paths are not. */
const prefixes = ['/api/', '/keep/', '/API/', '/%61pi/', '/named/'];

const places = prefixes.flatMap((prefix) => rests.map((rest): Case => ({ path: prefix + rest })));

const files: Case[] = [
  '/',
  '/index.html',
  '/a.txt',
  '/app.js',
  '/style.css',
  '/page.html',
  '/pixel.svg',
  '/empty.txt',
  '/with%20space.txt',
  '/%C3%BC.txt',
  '/docs',
  '/docs/',
  '/docs?a=b',
  '/docs/deep/x.html',
  '/docs/../a.txt',
  '/docs/%2e%2e/a.txt',
  '//a.txt',
  '/missing',
  '/missing/',
  '/../../etc/passwd',
  '/..%2f..%2fetc%2fpasswd',
  '/api',
  '/apix/y',
  '/x.special',
  '/spa/',
  '/spa/view/1?x=1',
  '/spa/app.js',
  '/spa/docs',
  '/health',
  '/health/',
  '/HEALTH',
  '/teapot',
  '/old/x?y=z',
  '/temporary?y=z',
  '/rewritten/a%20b?c=d',
  '/headers/x',
  '/hidden-headers/x',
].map((path) => ({ path }));

const conditions: Case[] = [
  { Range: 'bytes=0-9' },
  { Range: 'bytes=-5' },
  { Range: 'bytes=990-' },
  { Range: 'bytes=5000-' },
  { Range: 'bytes=5-2' },
  { Range: 'items=0-9' },
  { Range: 'bytes=0-9', 'If-Range': '"nothing like it"' },
  { 'If-None-Match': '"other"' },
  { 'If-None-Match': '*' },
  { 'If-Match': '"other"' },
  { 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
  { 'If-Modified-Since': 'Fri, 01 Jan 1999 00:00:00 GMT' },
  { 'If-Unmodified-Since': 'Fri, 01 Jan 1999 00:00:00 GMT' },
  { 'If-Modified-Since': 'nonsense' },
].map((headers) => ({ path: '/a.txt', headers }));

const methods: Case[] = ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'POST'].flatMap(
  (method): Case[] => [
    { path: '/api/x', method },
    { path: '/keep/x?status=404', method },
    { path: '/health', method },
  ],
);

const bodies: Case[] = [
  { path: '/api/x', method: 'POST', body: 'short' },
  { path: '/api/x', method: 'PUT', body: Buffer.alloc(5_000_000, 'large') },
  { path: '/keep/x', method: 'POST', body: 'chunked', headers: { 'Transfer-Encoding': 'chunked' } },
  { path: '/api/x', method: 'DELETE', body: 'with a body', headers: { 'Transfer-Encoding': 'chunked' } },
  { path: '/api/x', method: 'GET', body: 'a body', headers: { 'Content-Length': '6' } },
];

const fields: Case[] = [
  { 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example' },
  { Connection: 'X-Hop', 'X-Hop': '1' },
  { 'X-Secret': '1', Cookie: 'a=b; c=d' },
  { TE: 'trailers', Connection: 'TE' },
  { 'Accept-Encoding': 'gzip' },
].flatMap((headers): Case[] => [
  { path: '/keep/x', headers: headers },
  { path: '/style.css', headers: headers },
]);

const statuses: Case[] = [201, 202, 204, 301, 304, 400, 401, 404, 418, 500, 503].map((status) => ({
  path: `/api/x?status=${status}`,
}));

export const requests: readonly Case[] = [
  ...places,
  ...files,
  ...conditions,
  ...methods,
  ...bodies,
  ...fields,
  ...statuses,
];
