import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caddySites } from '../../../src/discover/scan/caddy-config.ts';
import { withCaddyPorts, withCaddySockets } from '../../../src/discover/scan/caddy-notes.ts';
import { filesThere, namesOf } from '../../../src/discover/scan/files-there.ts';
import type { FoundSocket } from '../../../src/discover/scan/found.ts';
import {
  tcpFromLsof,
  tcpFromNetstat,
  tcpFromSockstat,
  unixFromLsof,
  unixFromNetstat,
  unixFromSockstat,
} from '../../../src/discover/scan/from-bsd.ts';
import { holdersFromProc, tcpFromProc, unixFromProc } from '../../../src/discover/scan/from-proc.ts';
import { tcpFromSs, unixFromSs } from '../../../src/discover/scan/from-ss.ts';
import { readAnswer } from '../../../src/discover/scan/http-probe.ts';
import { listed } from '../../../src/discover/scan/listed.ts';
import { isSystemPort, isSystemSocket } from '../../../src/discover/scan/system-services.ts';
import { usualPorts } from '../../../src/discover/scan/usual-places.ts';

test('ss: addresses, owners and processes, with and without -p being answered', () => {
  const text = `State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
LISTEN 0      2048       127.0.0.1:8081      0.0.0.0:*    users:(("gunicorn",pid=413,fd=5),("gunicorn",pid=412,fd=5)) uid:1000 ino:1404242 sk:fa cgroup:/ <->
LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    ino:640 sk:4f cgroup:/ <->
LISTEN 0      1024           [::1]:3000         [::]:*    users:(("node",pid=15066,fd=21)) uid:33 ino:1785122 sk:ff v6only:1 <->
LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*    uid:101 ino:1 sk:1 <->
LISTEN 0      4096               *:9090            *:*    users:(("a \\"b\\"",pid=7,fd=3)) ino:2 sk:2 v6only:0 <->
LISTEN 0      4096 [::ffff:127.0.0.1]:9091     *:*    ino:2 sk:2 <->`;
  assert.deepEqual(tcpFromSs(text), [
    { address: '127.0.0.1', port: 8081, uid: 1000, process: { name: 'gunicorn', pid: 412 } },
    { address: '*', port: 22, uid: 0 },
    { address: '::1', port: 3000, uid: 33, process: { name: 'node', pid: 15066 } },
    { address: '127.0.0.53', port: 53, uid: 101 },
    { address: '*', port: 9090, uid: 0, process: { name: 'a \\"b\\"', pid: 7 } },
    { address: '127.0.0.1', port: 9091, uid: 0 },
  ]);
  const unix = `Netid State  Recv-Q Send-Q        Local Address:Port    Peer Address:PortProcess
u_str LISTEN 0      2048                       app.sock 13352            * 0    users:(("gunicorn",pid=412,fd=5)) <-> ino:2146381 dev:0/65024 peers:
u_str LISTEN 0      511      /srv/with blank/app.sock 1785119            * 0    <-> ino:2231246 dev:0/65024 peers:
u_seq LISTEN 0      4096            /run/udev/control 25151              * 0
u_str ESTAB  0      0               /run/dbus/system_bus_socket 1          * 2`;
  assert.deepEqual(unixFromSs(unix), [
    { path: 'app.sock', inode: 2146381, process: { name: 'gunicorn', pid: 412 } },
    { path: '/srv/with blank/app.sock', inode: 2231246 },
  ]);
});

test('/proc: words of the machine read as addresses, processes by the inodes of their descriptors', () => {
  const holders = holdersFromProc(
    '/proc/1\nsocket:[9]\n/proc/412\nsocket:[1404242]\nsocket:[77]\n/proc/413\nsocket:[1404242]',
    '/proc/412/comm:gunicorn\n/proc/1/comm:systemd',
  );
  const text = `   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1404242 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 640 1 0000000000000000 100 0 0 10 0
   2: 0100007F:9C40 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 641 1 0000000000000000 100 0 0 10 0
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 1785122 1 0000000000000000 100 0 0 10 0
   0: 00000000000000000000000000000000:2382 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 12 1 0000000000000000 100 0 0 10 0`;
  assert.deepEqual(tcpFromProc(text, holders), [
    { address: '127.0.0.1', port: 8081, uid: 1000, process: { name: 'gunicorn', pid: 412 } },
    { address: '*', port: 22, uid: 0 },
    { address: '::1', port: 3000, uid: 33 },
    { address: '*', port: 9090, uid: 33 },
  ]);
  const unix = `0000000000000000: 00000002 00000000 00010000 0001 01 77 /srv/a b/app.sock
0000000000000000: 00000003 00000000 00000000 0001 03 78 /run/connected
0000000000000000: 00000002 00000000 00010000 0005 01 79 /run/udev/control
0000000000000000: 00000002 00000000 00010000 0001 01 80 @abstract`;
  assert.deepEqual(unixFromProc(unix, holders), [
    { path: '/srv/a b/app.sock', process: { name: 'gunicorn', pid: 412 } },
    { path: '@abstract' },
  ]);
});

test('lsof of macOS and of Linux', () => {
  const who = { owner: 'me', process: { name: 'node', pid: 359 } };
  assert.deepEqual(
    tcpFromLsof('p359\ncnode\nLme\nf19\nn127.0.0.1:8081\nf20\nn[::1]:8081\np7\ncnginx\nLroot\nf3\nn*:80'),
    [
      { address: '127.0.0.1', port: 8081, ...who },
      { address: '::1', port: 8081, ...who },
      { address: '*', port: 80, owner: 'root', process: { name: 'nginx', pid: 7 } },
    ],
  );
  const unix =
    'p359\ncnode\nLme\nf3\nn/tmp/app.sock\nf4\nn->0x9df80c\nf5\nn/run/b.sock type=STREAM (LISTEN)\nf6\nntype=STREAM (CONNECTED)';
  assert.deepEqual(unixFromLsof(unix), [
    { path: '/tmp/app.sock', ...who },
    { path: '/run/b.sock', ...who },
  ]);
});

test('sockstat of FreeBSD', () => {
  const tcp = `USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS
www      nginx      1234  6   tcp4   *:80                  *:*
root     sshd       900   3   tcp6   *:22                  *:*
www      python3.9  77    5   tcp6   ::1:8000              *:*
root     syslogd    800   7   udp4   *:514                 *:*`;
  assert.deepEqual(tcpFromSockstat(tcp), [
    { address: '*', port: 80, owner: 'www', process: { name: 'nginx', pid: 1234 } },
    { address: '*', port: 22, owner: 'root', process: { name: 'sshd', pid: 900 } },
    { address: '::1', port: 8000, owner: 'www', process: { name: 'python3.9', pid: 77 } },
  ]);
  const unix = `USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS
www      gunicorn   77    5   stream /srv/app/app.sock
root     devd       500   4   seqpac /var/run/devd.seqpacket.pipe`;
  assert.deepEqual(unixFromSockstat(unix), [
    { path: '/srv/app/app.sock', owner: 'www', process: { name: 'gunicorn', pid: 77 } },
  ]);
});

test('netstat of macOS and of Linux', () => {
  const text = `tcp4       0      0  127.0.0.1.8081         *.*                    LISTEN
tcp6       0      0  ::1.3000               *.*                    LISTEN
tcp46      0      0  *.9090                 *.*                    LISTEN
tcp4       0      0  10.0.0.5.50412         1.2.3.4.443            ESTABLISHED
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN
tcp6       0      0 :::80                   :::*                    LISTEN`;
  assert.deepEqual(
    tcpFromNetstat(text).map(({ address, port }) => `${address} ${port}`),
    ['127.0.0.1 8081', '::1 3000', '* 9090', '* 22', '* 80'],
  );
  const unix = `9df80c13f1a0b8d1 stream      0      0 9df80c13f3b1a2c1                0                0                0 /var/run/app.sock
9df80c13f1a0b8d2 stream      0      0                0 9df80c13f3b1a2c1                0                0 /var/run/accepted.sock
unix  2      [ ACC ]     STREAM     LISTENING     25151    /srv/app/app.sock
unix  3      [ ]         STREAM     CONNECTED     25152    /srv/app/app.sock
unix  2      [ ACC ]     SEQPACKET  LISTENING     25153    /run/udev/control`;
  assert.deepEqual(unixFromNetstat(unix), [{ path: '/var/run/app.sock' }, { path: '/srv/app/app.sock' }]);
});

test('files: whether they may be connected to, whose they are, and numbers where there is no name', () => {
  const states = 'yes /srv/app/app.sock\nno /srv/b c.sock\nbarred /root/x.sock\ngone /run/old.sock';
  const files =
    '2146381 srwxrwx--- 1 1000 33 0 Nov 25 01:54 /srv/app/app.sock\n  7 srwx------+ 1 77 78 0 Nov 25  2025 /srv/b c.sock';
  const seen = filesThere(states, files, namesOf('root:0\ndeploy:1000'), namesOf('www-data:33'));
  assert.deepEqual(
    seen.map(({ inode: _inode, ...rest }) => rest),
    [
      { path: '/srv/app/app.sock', state: 'yes', mode: 'srwxrwx---', owner: 'deploy', group: 'www-data' },
      { path: '/srv/b c.sock', state: 'no', mode: 'srwx------', owner: '77', group: '78' },
      { path: '/root/x.sock', state: 'barred' },
      { path: '/run/old.sock', state: 'gone' },
    ],
  );
});

test('of two files with the name of a relative socket its inode tells which it is', () => {
  const answers = new Map([
    ['how', 'ss'],
    ['user', 'deploy'],
    ['uid', '1000'],
    ['home', '/home/deploy'],
    [
      'unix',
      'u_str LISTEN 0 2048 app.sock 1 * 0 <-> ino:12 dev:0/1 peers:\nu_str LISTEN 0 2048 lost.sock 1 * 0 <-> ino:99',
    ],
    ['paths', 'yes /home/deploy/a/app.sock\nyes /srv/b/app.sock'],
    [
      'files',
      '11 srwxrwx--- 1 1 1 0 Nov 25 01:54 /home/deploy/a/app.sock\n12 srwxrwx--- 1 1 1 0 Nov 25 01:54 /srv/b/app.sock',
    ],
  ]);
  const found = listed(answers);
  assert.deepEqual(
    found?.sockets.map(({ spec }) => spec),
    ['/srv/b/app.sock'],
  );
  assert.deepEqual(found?.lost, ['lost.sock']);
  assert.equal(listed(new Map([['how', '']])), undefined);
});

test('an answer in HTTP tells its title or server; what is none is undefined', () => {
  const read = (text: string) => readAnswer(Buffer.from(text, 'latin1'));
  assert.deepEqual(
    read(
      'HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Type: text/html\r\n\r\n<html><TITLE lang=en>\n A &amp; B </TITLE>',
    ),
    { scheme: 'http', status: 200, server: 'gunicorn', title: 'A & B' },
  );
  assert.deepEqual(read('HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n'), {
    scheme: 'http',
    status: 302,
    location: '/login',
  });
  assert.deepEqual(
    read('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'),
    { scheme: 'https', status: 0 },
  );
  assert.deepEqual(read('\u0015\u0003\u0001\u0000\u0002\u0002\u0046'), { scheme: 'https', status: 0 });
  assert.equal(read('SSH-2.0-OpenSSH_9.2p1\r\n'), undefined);
  assert.equal(read(''), undefined);
  const evil = read(`HTTP/1.1 200 OK\r\n\r\n<title>\u001b[2J${'x'.repeat(1000)}</title>`);
  assert.doesNotMatch(evil?.title ?? '', /\p{Cc}/u);
  assert.ok((evil?.title?.length ?? 0) <= 80);
});

const CONFIG = {
  admin: { listen: 'localhost:2019' },
  apps: {
    http: {
      servers: {
        srv0: {
          listen: [':443'],
          routes: [
            {
              match: [{ host: ['app.example.org'] }],
              handle: [
                {
                  handler: 'subroute',
                  routes: [
                    {
                      match: [{ path: ['/api/*'] }],
                      handle: [
                        {
                          handler: 'subroute',
                          routes: [
                            { handle: [{ handler: 'rewrite', strip_path_prefix: '/api' }] },
                            {
                              handle: [
                                { handler: 'reverse_proxy', upstreams: [{ dial: 'unix//srv/app/app.sock' }] },
                              ],
                            },
                          ],
                        },
                      ],
                    },
                    { handle: [{ handler: 'file_server' }] },
                  ],
                },
              ],
            },
          ],
        },
        srv1: {
          listen: ['127.0.0.1:8081', '[::1]:8081'],
          routes: [
            {
              handle: [
                {
                  handler: 'reverse_proxy',
                  upstreams: [{ dial: 'localhost:5000' }, { dial: 'unix/app.sock' }],
                },
              ],
            },
          ],
        },
      },
    },
  },
};

test("Caddy's configuration: sites, and where their routes lead", () => {
  const sites = caddySites(CONFIG);
  assert.deepEqual(sites, [
    {
      listen: [':443'],
      hosts: ['app.example.org'],
      routes: [{ hosts: ['app.example.org'], path: '/api/*', upstream: 'unix//srv/app/app.sock' }],
    },
    {
      listen: ['127.0.0.1:8081', '[::1]:8081'],
      hosts: [],
      routes: [
        { hosts: [], path: '/', upstream: 'localhost:5000' },
        { hosts: [], path: '/', upstream: 'unix/app.sock' },
      ],
    },
  ]);
  const socket = (path: string): FoundSocket => ({
    path,
    spec: path,
    access: 'yes',
    caddy: [],
    system: false,
  });
  const paths = ['/srv/app/app.sock', '/srv/other/app.sock', '/run/x.sock'];
  assert.deepEqual(
    withCaddySockets(paths.map(socket), sites).map(({ caddy }) => caddy),
    [['app.example.org /api/*', ':8081?'], [':8081?'], []],
  );
  assert.deepEqual(withCaddySockets([socket('/srv/other/app.sock')], sites)[0]?.caddy, [':8081']);
  const ports = withCaddyPorts(usualPorts(sites), sites);
  assert.deepEqual(
    ports.filter(({ caddy }) => caddy.length > 0).map(({ port, caddy }) => [port, ...caddy]),
    [
      [443, 'site app.example.org'],
      [5000, ':8081'],
      [8081, 'site'],
    ],
  );
});

test('a configuration of Caddy that is not as it should be gives what can be read of it', () => {
  for (const odd of [
    null,
    3,
    [],
    {},
    { apps: [] },
    { apps: { http: { servers: { a: null, b: { listen: 7, routes: [1, { handle: {} }] } } } } },
  ]) {
    assert.ok(Array.isArray(caddySites(odd)));
  }
  let deep: object = { handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: 'a:1' }] }] };
  for (let depth = 0; depth < 1000; depth += 1) deep = { handle: [{ handler: 'subroute', routes: [deep] }] };
  const [site] = caddySites({ apps: { http: { servers: { a: { listen: [':1'], routes: [deep] } } } } });
  assert.deepEqual(site?.routes, []);
});

test('what belongs to the system is told by its process, its port or its place', () => {
  assert.ok(isSystemPort(2222, 'sshd') && isSystemPort(22, undefined) && isSystemPort(53, 'systemd-resolve'));
  assert.ok(!isSystemPort(22, 'gunicorn') && !isSystemPort(8081, undefined));
  for (const path of [
    '/run/systemd/private',
    '/run/dbus/system_bus_socket',
    '/tmp/.X11-unix/X0',
    '/run/user/1000/bus',
  ]) {
    assert.ok(isSystemSocket(path, undefined), path);
  }
  assert.ok(!isSystemSocket('/srv/app/app.sock', 'gunicorn') && !isSystemSocket('/run/app.sock', undefined));
});
