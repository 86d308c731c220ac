import type { Endpoint, UnixEndpoint } from '../src/endpoint.ts';
import type { DynamicSpec, ForwardSpec, Listen, LocalSpec, RemoteSpec } from '../src/spec.ts';

export const tcp = (host: string, port: number): Endpoint => ({ kind: 'tcp', host, port });
export const unix = (path: string): UnixEndpoint => ({ kind: 'unix', path });
export const on = (port: number | 'auto', host?: string): Listen =>
  host === undefined ? { kind: 'tcp', port } : { kind: 'tcp', host, port };

/** What is written, what it means, and how it is written shortest. */
export interface Reading<Spec extends ForwardSpec> {
  readonly text: string;
  readonly spec: Spec;
  readonly short: string;
}

const local: readonly (readonly [text: string, listen: Listen, connect: Endpoint, short: string])[] = [
  ['8081', on(8081), tcp('localhost', 8081), '8081'],
  ['08081', on(8081), tcp('localhost', 8081), '8081'],
  ['8081:8081', on(8081), tcp('localhost', 8081), '8081'],
  ['8080:3000', on(8080), tcp('localhost', 3000), '8080:3000'],
  ['8081:localhost:8081', on(8081), tcp('localhost', 8081), '8081'],
  ['localhost:8081', on(8081), tcp('localhost', 8081), '8081'],
  ['5432:db.internal:5432', on(5432), tcp('db.internal', 5432), '5432:db.internal:5432'],
  ['db.internal:5432', on(5432), tcp('db.internal', 5432), '5432:db.internal:5432'],
  ['127.0.0.1:8080', on(8080), tcp('127.0.0.1', 8080), '8080:127.0.0.1:8080'],
  ['[::1]:8080', on(8080), tcp('::1', 8080), '8080:[::1]:8080'],
  ['[::1]:8080:[::1]:80', on(8080, '::1'), tcp('::1', 80), '[::1]:8080:[::1]:80'],
  ['127.0.0.1:8080:host:80', on(8080, '127.0.0.1'), tcp('host', 80), '127.0.0.1:8080:host:80'],
  ['[fe80::1%eth0]:8080:h:80', on(8080, 'fe80::1%eth0'), tcp('h', 80), '[fe80::1%eth0]:8080:h:80'],
  ['localhost:8080:h:80', on(8080, 'localhost'), tcp('h', 80), 'localhost:8080:h:80'],
  ['*:8080:h:80', on(8080, '*'), tcp('h', 80), '*:8080:h:80'],
  [':8080:h:80', on(8080, '*'), tcp('h', 80), '*:8080:h:80'],
  ['*:8080:localhost:80', on(8080, '*'), tcp('localhost', 80), '*:8080:localhost:80'],
  [':8080:/srv/app.sock', on(8080, '*'), unix('/srv/app.sock'), '*:8080:/srv/app.sock'],
  ['/srv/app/app.sock', on('auto'), unix('/srv/app/app.sock'), '/srv/app/app.sock'],
  ['~/app/app.sock', on('auto'), unix('~/app/app.sock'), '~/app/app.sock'],
  ['./app.sock', on('auto'), unix('./app.sock'), './app.sock'],
  ['auto:/srv/app/app.sock', on('auto'), unix('/srv/app/app.sock'), '/srv/app/app.sock'],
  ['8080:/srv/app/app.sock', on(8080), unix('/srv/app/app.sock'), '8080:/srv/app/app.sock'],
  ['8080:~/app.sock', on(8080), unix('~/app.sock'), '8080:~/app.sock'],
  [
    '127.0.0.1:8080:/srv/app.sock',
    on(8080, '127.0.0.1'),
    unix('/srv/app.sock'),
    '127.0.0.1:8080:/srv/app.sock',
  ],
  ['./app.sock:/srv/app.sock', unix('./app.sock'), unix('/srv/app.sock'), './app.sock:/srv/app.sock'],
  ['~/x.sock:~/y.sock', unix('~/x.sock'), unix('~/y.sock'), '~/x.sock:~/y.sock'],
  ['./local.sock:3000', unix('./local.sock'), tcp('localhost', 3000), './local.sock:3000'],
  ['/local.sock:host:80', unix('/local.sock'), tcp('host', 80), '/local.sock:host:80'],
  ['/local.sock:localhost:80', unix('/local.sock'), tcp('localhost', 80), '/local.sock:80'],
  ['auto:3000', on('auto'), tcp('localhost', 3000), 'auto:3000'],
  ['auto:host:80', on('auto'), tcp('host', 80), 'auto:host:80'],
  ['127.0.0.1:auto:host:80', on('auto', '127.0.0.1'), tcp('host', 80), '127.0.0.1:auto:host:80'],
  ['unix:/srv/app.sock', on('auto'), unix('/srv/app.sock'), '/srv/app.sock'],
  ['unix:app.sock', on('auto'), unix('./app.sock'), './app.sock'],
  ['unix//srv/app.sock', on('auto'), unix('/srv/app.sock'), '/srv/app.sock'],
  ['unix/app.sock', on('auto'), unix('./app.sock'), './app.sock'],
  ['8080:unix:/srv/app.sock', on(8080), unix('/srv/app.sock'), '8080:/srv/app.sock'],
  ['8080:unix:app.sock', on(8080), unix('./app.sock'), '8080:./app.sock'],
  ['8080:unix//srv/app.sock', on(8080), unix('/srv/app.sock'), '8080:/srv/app.sock'],
  ['8080:unix/app.sock', on(8080), unix('./app.sock'), '8080:./app.sock'],
  ['*:8080:unix:app.sock', on(8080, '*'), unix('./app.sock'), '*:8080:./app.sock'],
  ['unix:a.sock:unix:b.sock', unix('./a.sock'), unix('./b.sock'), './a.sock:./b.sock'],
  ['unix:a.sock:3000', unix('./a.sock'), tcp('localhost', 3000), './a.sock:3000'],
  ['8080:unix:80', on(8080), tcp('unix', 80), '8080:unix:80'],
  ['unix:8080:h:80', on(8080, 'unix'), tcp('h', 80), 'unix:8080:h:80'],
  ['80:auto:80', on(80), tcp('auto', 80), '80:auto:80'],
  [
    String.raw`/srv/a\:b\\c.sock`,
    on('auto'),
    unix(String.raw`/srv/a:b\c.sock`),
    String.raw`/srv/a\:b\\c.sock`,
  ],
  [
    '[/srv/a:b.sock]:[/x:y.sock]',
    unix('/srv/a:b.sock'),
    unix('/x:y.sock'),
    String.raw`/srv/a\:b.sock:/x\:y.sock`,
  ],
  // ssh's form with slashes is not known here: it is a path like any other.
  ['8080/localhost/80', on('auto'), unix('8080/localhost/80'), '8080/localhost/80'],
  ['/srv/my app/app.sock', on('auto'), unix('/srv/my app/app.sock'), '/srv/my app/app.sock'],
  ['münchen.example:80', on(80), tcp('münchen.example', 80), '80:münchen.example:80'],
];

/** The meanings of `ssh -D`, and those that ssh does not have. */
const dynamic: readonly (readonly [text: string, listen: Listen, short: string])[] = [
  ['1080', on(1080), '1080'],
  ['01080', on(1080), '1080'],
  ['localhost:1080', on(1080, 'localhost'), 'localhost:1080'],
  ['127.0.0.1:1080', on(1080, '127.0.0.1'), '127.0.0.1:1080'],
  ['[::1]:1080', on(1080, '::1'), '[::1]:1080'],
  ['[fe80::1%eth0]:1080', on(1080, 'fe80::1%eth0'), '[fe80::1%eth0]:1080'],
  ['[10.0.0.1]:1080', on(1080, '10.0.0.1'), '10.0.0.1:1080'],
  ['myhost:1080', on(1080, 'myhost'), 'myhost:1080'],
  ['*:1080', on(1080, '*'), '*:1080'],
  [':1080', on(1080, '*'), '*:1080'],
  ['auto', on('auto'), 'auto'],
  ['127.0.0.1:auto', on('auto', '127.0.0.1'), '127.0.0.1:auto'],
  ['*:auto', on('auto', '*'), '*:auto'],
  ['auto:1080', on(1080, 'auto'), '[auto]:1080'],
  ['unix:1080', on(1080, 'unix'), 'unix:1080'],
  ['./socks.sock', unix('./socks.sock'), './socks.sock'],
  ['/run/socks.sock', unix('/run/socks.sock'), '/run/socks.sock'],
  ['~/socks.sock', unix('~/socks.sock'), '~/socks.sock'],
  ['unix:socks.sock', unix('./socks.sock'), './socks.sock'],
  [String.raw`/run/a\:b.sock`, unix('/run/a:b.sock'), String.raw`/run/a\:b.sock`],
  ['[/run/a:b.sock]', unix('/run/a:b.sock'), String.raw`/run/a\:b.sock`],
];

/** The meanings of `ssh -R`, where a place to listen alone is a SOCKS proxy, and those that ssh does not have. */
const remote: readonly (readonly [
  text: string,
  listen: Listen,
  connect: Endpoint | 'socks',
  short: string,
])[] = [
  ['1080', on(1080), 'socks', '1080'],
  ['localhost:1080', on(1080, 'localhost'), 'socks', 'localhost:1080'],
  ['127.0.0.1:1080', on(1080, '127.0.0.1'), 'socks', '127.0.0.1:1080'],
  ['[::1]:1080', on(1080, '::1'), 'socks', '[::1]:1080'],
  ['*:1080', on(1080, '*'), 'socks', '*:1080'],
  [':1080', on(1080, '*'), 'socks', '*:1080'],
  ['myhost:1080', on(1080, 'myhost'), 'socks', 'myhost:1080'],
  ['[auto]:1080', on(1080, 'auto'), 'socks', '[auto]:1080'],
  ['0', on('auto'), 'socks', 'auto'],
  ['00', on('auto'), 'socks', 'auto'],
  ['auto', on('auto'), 'socks', 'auto'],
  ['127.0.0.1:0', on('auto', '127.0.0.1'), 'socks', '127.0.0.1:auto'],
  ['*:0', on('auto', '*'), 'socks', '*:auto'],
  ['/there.sock', unix('/there.sock'), 'socks', '/there.sock'],
  ['unix:there.sock', unix('./there.sock'), 'socks', './there.sock'],
  ['0:localhost:80', on('auto'), tcp('localhost', 80), 'auto:localhost:80'],
  ['auto:localhost:80', on('auto'), tcp('localhost', 80), 'auto:localhost:80'],
  ['*:0:h:80', on('auto', '*'), tcp('h', 80), '*:auto:h:80'],
  ['[::1]:0:/here.sock', on('auto', '::1'), unix('/here.sock'), '[::1]:auto:/here.sock'],
  ['0:3000', on('auto'), tcp('localhost', 3000), 'auto:localhost:3000'],
  ['0:/here.sock', on('auto'), unix('/here.sock'), 'auto:/here.sock'],
  ['9000:3000', on(9000), tcp('localhost', 3000), '9000:localhost:3000'],
  ['9000:9000', on(9000), tcp('localhost', 9000), '9000:localhost:9000'],
  ['9000:localhost:3000', on(9000), tcp('localhost', 3000), '9000:localhost:3000'],
  ['9000:h:80', on(9000), tcp('h', 80), '9000:h:80'],
  ['localhost:9000:h:80', on(9000, 'localhost'), tcp('h', 80), 'localhost:9000:h:80'],
  ['*:9000:h:80', on(9000, '*'), tcp('h', 80), '*:9000:h:80'],
  [':9000:h:80', on(9000, '*'), tcp('h', 80), '*:9000:h:80'],
  ['[::1]:9000:[::1]:80', on(9000, '::1'), tcp('::1', 80), '[::1]:9000:[::1]:80'],
  ['9000:/here.sock', on(9000), unix('/here.sock'), '9000:/here.sock'],
  ['9000:~/here.sock', on(9000), unix('~/here.sock'), '9000:~/here.sock'],
  ['9000:unix:here.sock', on(9000), unix('./here.sock'), '9000:./here.sock'],
  ['*:9000:/here.sock', on(9000, '*'), unix('/here.sock'), '*:9000:/here.sock'],
  ['/there.sock:/here.sock', unix('/there.sock'), unix('/here.sock'), '/there.sock:/here.sock'],
  ['/there.sock:3000', unix('/there.sock'), tcp('localhost', 3000), '/there.sock:localhost:3000'],
  ['/there.sock:h:80', unix('/there.sock'), tcp('h', 80), '/there.sock:h:80'],
];

export const localReadings: readonly Reading<LocalSpec>[] = local.map(([text, listen, connect, short]) => ({
  text,
  spec: { kind: 'local', listen, connect },
  short,
}));

export const dynamicReadings: readonly Reading<DynamicSpec>[] = dynamic.map(([text, listen, short]) => ({
  text,
  spec: { kind: 'dynamic', listen },
  short,
}));

export const remoteReadings: readonly Reading<RemoteSpec>[] = remote.map(
  ([text, listen, connect, short]) => ({ text, spec: { kind: 'remote', listen, connect }, short }),
);
