import { commandTerms, flagTerms } from './help/lists.ts';
import { termLines, TEXT_COLUMNS, wrap } from './help/text.ts';
import { topicNames } from './help/topic-names.ts';

const USAGE = [
  ['tunnel [FLAGS] HOST [SPEC...]', 'open it, and keep it open'],
  ['tunnel COMMAND ...', ''],
] as const;

const SPECS = [
  ['8081', 'port 8081 here to localhost:8081 there'],
  ['8080:3000', 'port 8080 here to localhost:3000 there'],
  ['5432:db.internal:5432', 'to another host, as it is resolved there'],
  ['127.0.0.1:8080:host:80', 'listening on that address only; *:8080:host:80 on every one'],
  ['3000:~/app/app.sock', 'to a Unix socket; paths are from the home there'],
  ['/srv/app/app.sock', 'the same, on a free port that stays the same each time'],
  ['./app.sock:/srv/app.sock', 'a Unix socket here'],
  ['auto:3000', 'a free port, the same each time, to localhost:3000 there'],
] as const;

const EXAMPLES = [
  ['tunnel vps 8081', 'http://localhost:8081 is the app on vps'],
  ['tunnel vps 8081 5000 3000:~/app/app.sock', 'several over one connection'],
  ['tunnel deploy@vps:2222 5432:db.internal:5432', ''],
  ['tunnel -J bastion vps ./app.sock:/srv/app/app.sock', ''],
  ['tunnel --json vps auto:3000 | jq', ''],
  ["tunnel vps --http 8080 -r '/api/*=~/api/app.sock' -r '/=./webroot'", ''],
  ['tunnel vps --http 8080 --caddyfile', ''],
  ['tunnel vps 8081 -d; tunnel ls; tunnel stop vps', ''],
  ['tunnel exec vps 5432 -- psql -h 127.0.0.1', 'only while psql runs'],
  ['tunnel explain vps', 'which key, which way, which options count'],
] as const;

/** What `tunnel --help` shows, wrapped to so many columns; what is to be typed or copied is never broken. */
export function help(columns = TEXT_COLUMNS): string {
  const text = (paragraph: string): string => wrap(paragraph, columns).join('\n');
  const terms = (list: Parameters<typeof termLines>[0], least: number): string =>
    termLines(list, columns, least).join('\n');
  const flags = (part: string): string =>
    terms(
      flagTerms((flag) => flag.part === part),
      25,
    );
  return `${text('tunnel: remote ports and Unix sockets on local ports, over one SSH connection')}

Usage:
${terms(USAGE, 34)}

${terms(commandTerms(), 34)}

${text('HOST is what ssh takes: a name from ~/.ssh/config, [user@]host[:port] or ssh://user@host:port; or the name of a profile. It may also come last: tunnel 8081 vps. A host called ls: tunnel -- ls')}

${text('NAME is HOST as it was written, and may have * and ? in it.')}

${text("SPEC, any number of them; without any, those of tunnel.json, of the profile or of ~/.ssh/config, else what HOST's Caddy listens on:")}
${terms(SPECS, 25)}

${text('Flags, with the meaning they have in ssh:')}
${flags('ssh')}

${flags('session')}

${flags('http')}

${flags('wireguard')}

${flags('command')}

${flags('general')}

Examples:
${terms(EXAMPLES, 43)}

${text('A connection that is lost is made again for as long as it takes; what listens here stays, and what connects meanwhile waits. A second tunnel HOST SPEC adds to the session that is there, and takes its own away when it ends.')}

${text('Ctrl-C stops listening, gives open connections 3 seconds to finish, and ends; a second one ends at once.')}

${text(
  "Exit status: 0 it did what was asked; 1 it ran and something failed; 2 wrong usage or configuration; 255 no SSH session; 129, 130, 143 ended by SIGHUP, Ctrl-C or SIGTERM; exec: the command's",
)}

${text(`More: tunnel help COMMAND, or tunnel help ${topicNames.join('|')}`)}
`;
}
