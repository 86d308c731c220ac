import type { Section } from './text.ts';
import type { TopicName } from './topic-names.ts';

/** What `tunnel help TOPIC` shows; the man page has all of them. */
export const topics: Readonly<Record<TopicName, Section>> = {
  forwards: {
    title: 'Forwards',
    blocks: [
      'A SPEC says where to listen here and what to connect to there. It is what follows ssh -L, and shorter:',
      {
        terms: [
          ['8081', 'port 8081 here to localhost:8081 there'],
          ['8080:3000', 'port 8080 here to localhost:3000 there'],
          ['5432:db.internal:5432', 'to another host, as its name is resolved there'],
          ['db.internal:5432', 'the same, with the same port here'],
          ['127.0.0.1:8080:host:80', 'listening on that address only; [::1]:8080:[::1]:80 for IPv6'],
          ['*:8080:host:80', 'listening on every interface'],
          ['/srv/app/app.sock', 'a Unix socket there, on a free port here: the same one each time'],
          [
            '3000:~/app/app.sock',
            'a Unix socket there, on port 3000; ~ and relative paths are from the home there',
          ],
          ['./app.sock:/srv/app/app.sock', 'a Unix socket here, for you alone (mode 0600)'],
          ['auto:3000', 'a free port, the same each time, to localhost:3000 there'],
        ],
      },
      'Sockets may be written as their servers write them: unix:/srv/app/app.sock (Gunicorn, nginx), unix//srv/app/app.sock and unix/app.sock (Caddy). A colon in a path is written \\:, and a shell needs quotes around a path that begins with ~.',
      'Listeners are on both loopback addresses unless an address is written. Without any SPEC, what the profile, the project file or ~/.ssh/config says is opened, the first of these that says something.',
      'The other way, and SOCKS, are as in ssh:',
      {
        terms: [
          ['-R 9000:localhost:3000', 'port 9000 there to localhost:3000 here'],
          ['-R 0:localhost:3000', 'the server chooses the port, which is shown'],
          ['-R /there.sock:/here.sock', 'a Unix socket there to one here'],
          ['-R 1080', 'a SOCKS proxy there, whose connections leave from here'],
          ['-D 1080', 'a SOCKS proxy here, whose connections leave from there'],
        ],
      },
    ],
  },
  routes: {
    title: 'Routes',
    blocks: [
      'A route sends what a browser asks for to one of many apps, all behind one local port: a host name or a path, "=", and where it goes.',
      {
        terms: [
          ['/=8081', 'everything to localhost:8081 there'],
          ['/api/*=~/api/app.sock', 'what begins with /api/ to a socket there, without the /api'],
        ],
      },
      'Profiles and project files hold them in "routes", and the port to listen on in "http".',
    ],
  },
  wireguard: {
    title: 'WireGuard',
    blocks: [
      'Where a WireGuard VPN reaches the same server, a profile names its address there in "wireguard", and in "via" whether it is used: auto, ssh or wireguard.',
      "Plain bytes go to that address only while the kernel's route to it leaves through a WireGuard interface: elsewhere the same address belongs to a stranger.",
    ],
  },
  config: {
    title: 'Configuration',
    blocks: [
      'What counts, the first that says something:',
      {
        terms: [
          ['flags', 'what is typed'],
          ['environment', 'TUNNEL_TRANSPORT, TUNNEL_RECONNECT, TUNNEL_HOLD, TUNNEL_RETRY_DIAL, TUNNEL_WAIT'],
          ['project', 'tunnel.json in the working directory or above it: forwards and routes'],
          ['profile', 'what tunnel save has kept under the name'],
          ['ssh_config', '~/.ssh/config and the files that it includes, as ssh reads them; never written'],
        ],
      },
      'tunnel explain HOST shows each value with its source.',
      'A profile is made with tunnel save NAME HOST SPEC..., or with tunnel save NAME from the session NAME that is running, and opened with tunnel NAME. tunnel profile edit NAME opens it in your editor:',
      {
        code: [
          '{',
          '  "host": "deploy@vps.example.org",',
          '  "forwards": ["8081", "3000:~/app/app.sock", "-R 9000:localhost:3000", "-D 1080"],',
          '  "options": { "jump": "bastion", "ssh": ["ConnectTimeout=10"], "hold": "30s" }',
          '}',
        ],
      },
      'Several hosts in one profile are in "sessions", a list of the same, and open side by side.',
      'A project file has "forwards" and "routes" and nothing else: no host, no command, no key, no forward from there to here. Before one is used for the first time, and after each change, you are asked; without a terminal one that you have not agreed to is refused.',
      {
        terms: [
          [
            'TUNNEL_CONFIG_DIR',
            'profiles and what was agreed to; else $XDG_CONFIG_HOME/tunnel, ~/.config/tunnel',
          ],
          ['TUNNEL_STATE_DIR', 'logs and caches; else $XDG_STATE_HOME/tunnel, ~/.local/state/tunnel'],
          ['TUNNEL_RUNTIME_DIR', 'control sockets; else $XDG_RUNTIME_DIR/tunnel'],
        ],
      },
    ],
  },
  'exit-codes': {
    title: 'Exit status',
    blocks: [
      {
        terms: [
          ['0', 'it did what was asked'],
          ['1', 'it ran and something failed'],
          ['2', 'wrong usage or configuration; the message names the flag, or the file and the key'],
          ['255', 'no SSH session: resolve, connect, host key, authentication'],
          ['129, 130, 143', 'ended by SIGHUP, Ctrl-C or SIGTERM, after a clean stop'],
        ],
      },
    ],
  },
};
