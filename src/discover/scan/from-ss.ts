import { splitAddress, type Process, type TcpListener, type UnixListener } from './listeners.ts';

/** `ss -tlnpe`: `LISTEN 0 128 127.0.0.1:8081 0.0.0.0:* users:(("gunicorn",pid=412,fd=5)) uid:1000 ino:…`, uid 0 unsaid. */
export function tcpFromSs(text: string): TcpListener[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', details = ''] = /^LISTEN\s+\d+\s+\d+\s+(\S+)\s+\S+(.*)$/.exec(line) ?? [];
    const place = splitAddress(local);
    if (place === undefined) return [];
    const uid = Number(/\buid:(\d+)/.exec(details)?.[1] ?? 0);
    return [{ ...place, uid, ...processOf(details) }];
  });
}

/** `ss -xlpe`: `u_str LISTEN 0 2048 app.sock 13352 * 0 users:(("gunicorn",pid=412,fd=5)) <-> ino:2146381 dev:0/65024 peers:` */
export function unixFromSs(text: string): UnixListener[] {
  return text.split('\n').flatMap((line) => {
    const match = /^u_str\s+LISTEN\s+\d+\s+\d+\s+(.*\S)\s+\d+\s+\* 0\b(.*)$/.exec(line);
    if (match === null) return [];
    const [, path = '', details = ''] = match;
    const inode = /\bino:(\d+)/.exec(details)?.[1];
    return [{ path, ...(inode === undefined ? {} : { inode: Number(inode) }), ...processOf(details) }];
  });
}

/** The first one: workers share the socket of the process that made it, which has the lowest number as a rule. */
function processOf(details: string): { process?: Process } {
  const all = [...details.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+)/g)].map(([, name = '', pid]) => ({
    name,
    pid: Number(pid),
  }));
  const [first] = all.toSorted((a, b) => a.pid - b.pid);
  return first === undefined ? {} : { process: first };
}
