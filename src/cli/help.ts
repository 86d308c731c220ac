export const help = `tunnel: remote ports and Unix sockets on local ports, over one SSH connection

Usage: tunnel [FLAGS] HOST [SPEC...]       open it, and keep it open
       tunnel explain [FLAGS] HOST [SPEC...]
       tunnel scan [FLAGS] HOST            what listens there: ports, sockets, Caddy's sites
       tunnel doctor [FLAGS] [HOST [SPEC...]]
                                           why it does not work, step by step; without HOST, the
                                           installation; status 0 only if all is well
       tunnel exec [FLAGS] HOST [SPEC...] -- COMMAND [ARG...]

       tunnel ls [NAME...]                 the sessions that are open
       tunnel status [NAME...]             the same at length; status 0 only if all are ready
       tunnel add NAME SPEC...             open more in a session; -R and -D as well
       tunnel cancel NAME SPEC...          close some of it
       tunnel stop NAME... | --all         end sessions
       tunnel retry [NAME...]              connect now, without waiting for the next try
       tunnel logs [-f] NAME               what a session has told; -f goes on
       tunnel attach NAME                  watch a session as if it were in the foreground
       tunnel service install HOST SPEC... open it at each login; also: uninstall NAME, status NAME

HOST is what ssh takes: a name from ~/.ssh/config, [user@]host[:port] or ssh://user@host:port.
It may also come last: tunnel 8081 vps

explain tells what the same line without it would do, and connects to nothing: where to and how, and
what becomes of each option of your configuration. A host called explain: tunnel -- explain 8081

exec opens it, runs COMMAND with TUNNEL_URL, TUNNEL_HOST and TUNNEL_PORT of the first SPEC (of each:
TUNNEL_URL_1, TUNNEL_URL_2...; TUNNEL_SOCKET for a socket here), and ends with its status.

NAME is HOST as it was written, and may have * and ? in it.

SPEC, any number of them; without any, the forwards of HOST in ~/.ssh/config, else what Caddy serves
there, else a choice of what listens there:
  8081                       port 8081 here to localhost:8081 there
  8080:3000                  port 8080 here to localhost:3000 there
  5432:db.internal:5432      to another host, as it is resolved there
  127.0.0.1:8080:host:80     listening on that address only; *:8080:host:80 on every one
  3000:~/app/app.sock        to a Unix socket; paths are from the home there
  /srv/app/app.sock          the same, on a free port that stays the same each time
  ./app.sock:/srv/app.sock   a Unix socket here
  auto:3000                  a free port, the same each time, to localhost:3000 there

Flags, with the meaning they have in ssh:
  -L, --forward SPEC         one more SPEC
  -R, --remote SPEC          the other way: listen there, connect here; a port alone: SOCKS there
  -D, --dynamic [ADDR:]PORT  a SOCKS proxy here, whose connections leave from there
  -g, --gateway              let other machines use what is listened on here
  -p, --port PORT            port of the SSH server
  -l, --user USER            user there
  -i, --identity FILE        private key; may be repeated
  -J, --jump HOST[,HOST]     go through these hosts, the nearest first
  -F, --config FILE          configuration instead of ~/.ssh/config
  -o, --option NAME=VALUE    an ssh_config option; may be repeated
  -C, --compress             compress
  -4, --ipv4 / -6, --ipv6    only IPv4, only IPv6
  -N, --no-command           accepted: a shell is never opened
  -v, --verbose              say what is done; -vv adds the messages of the SSH protocol
  -q, --quiet                only errors

  -d, --detach               also -f: leave it in the background when everything is open
      --open                 show the first URL in the browser, once it answers
      --reconnect WHEN       no, yes, or the shortest and longest wait: default 500ms..30s
      --wait                 try again when the first connection fails, too
      --hold TIME            how long a connection waits while the session is down; default 15s
      --retry-dial TIME      how long a target that refuses is tried again; default 2s

      --http [ADDR:]PORT         a reverse proxy here: several apps behind one port; needs routes
  -r, --route ROUTE          [HOST]/PATH=UPSTREAM[,keep-prefix][,spa]; UPSTREAM is a port or a
                             socket there, or a folder here: -r '/api/*=5000' -r '/=./webroot'
      --caddyfile [FILE]     take the routes from a Caddyfile; default ./Caddyfile
      --remote-dir DIR       where relative sockets in it are from, there; default the home
      --as HOST              the name that apps see, so that a login for production works here
      --allow-host NAME      answer to this name, too; --allow-origin ORIGIN: let pages from there
      --allow-origin ORIGIN  change things here
      --spa                  folders answer unknown paths with their index.html
      --log-queries          put query strings into the log; --log-cookies: cookies as well
      --log-cookies

      --wireguard ADDR[,interface=NAME]
                             where HOST is in a WireGuard VPN: its ports are reached there while
                             that is up, and over SSH when it is not, under the same local URL
      --via WAY              auto, wireguard or ssh; default auto
      --standby              have the SSH connection ready while WireGuard is used

      --all                  with stop: every session; with scan: the system's services, too
      --follow               with logs, also -f: go on as more is told
      --print                with service: show the file, and do nothing

      --transport NAME       auto, ssh2 (our own) or openssh (the ssh program); default auto
      --json                 one event a line on standard output; the other commands: one document
  -h, --help                 this text
  -V, --version              the version

Examples:
  tunnel vps 8081                              http://localhost:8081 is the app on vps
  tunnel vps 8081 5000 3000:~/app/app.sock     several over one connection
  tunnel deploy@vps:2222 5432:db.internal:5432
  tunnel -J bastion vps ./app.sock:/srv/app/app.sock
  tunnel --json vps auto:3000 | jq
  tunnel vps --http 8080 -r '/api/*=~/api/app.sock' -r '/=./webroot'
  tunnel vps --http 8080 --caddyfile
  tunnel vps 8081 -d; tunnel ls; tunnel stop vps
  tunnel exec vps 5432 -- psql -h 127.0.0.1    only while psql runs
  tunnel explain vps                           which key, which way, which options count

A connection that is lost is made again for as long as it takes; what listens here stays, and what
connects meanwhile waits. A second tunnel HOST SPEC adds to the session that is there, and takes its
own away when it ends.

Ctrl-C stops listening, gives open connections 3 seconds to finish, and ends; a second one ends
at once.

Exit status:
  0 it did what was asked; 1 it ran and something failed; 2 wrong usage or configuration;
  255 no SSH session; 129, 130, 143 ended by SIGHUP, Ctrl-C or SIGTERM;
  of exec the command's, 127 if it is not found
`;
