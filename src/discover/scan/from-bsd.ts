import { splitAddress, type TcpListener, type UnixListener } from './listeners.ts';

/** `lsof -F pcLn`: a line a field, `p412`, `cgunicorn`, `Lwww`, then `n127.0.0.1:8081` for each socket of the process. */
export function tcpFromLsof(text: string): TcpListener[] {
  return lsofRecords(text).flatMap(({ name, ...who }) => {
    const place = splitAddress(name);
    return place === undefined ? [] : [{ ...place, ...who }];
  });
}

/** Every named socket: lsof of macOS does not tell those that listen from what they accepted, which have the same name. */
export function unixFromLsof(text: string): UnixListener[] {
  return lsofRecords(text).flatMap(({ name, ...who }) => {
    // Linux adds `type=STREAM (LISTEN)`.
    const path = name.replace(/ type=\w+( .*)?$/, '');
    return path.startsWith('/') ? [{ path, ...who }] : [];
  });
}

function lsofRecords(
  text: string,
): { name: string; owner: string; process: { name: string; pid: number } }[] {
  const records = [];
  let [pid, command, owner] = [0, '', ''];
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) pid = Number(value);
    if (line.startsWith('c')) command = value;
    if (line.startsWith('L')) owner = value;
    if (line.startsWith('n')) records.push({ name: value, owner, process: { name: command, pid } });
  }
  return records;
}

/** FreeBSD: `www nginx 1234 6 tcp4 127.0.0.1:80 *:*` */
export function tcpFromSockstat(text: string): TcpListener[] {
  return text.split('\n').flatMap((line) => {
    const [owner = '', name = '', pid = '', , protocol = '', local = ''] = line.trim().split(/\s+/);
    const place = protocol.startsWith('tcp') ? splitAddress(local) : undefined;
    return place === undefined ? [] : [{ ...place, owner, process: { name, pid: Number(pid) } }];
  });
}

/** FreeBSD: `www gunicorn 1234 5 stream /srv/app/app.sock` */
export function unixFromSockstat(text: string): UnixListener[] {
  return text.split('\n').flatMap((line) => {
    const [, owner = '', name = '', pid = '', path] =
      /^(\S+)\s+(\S+)\s+(\d+)\s+\d+\s+stream\s+(\/.*\S)\s*$/.exec(line) ?? [];
    return path === undefined ? [] : [{ path, owner, process: { name, pid: Number(pid) } }];
  });
}

/** `tcp4 0 0 127.0.0.1.8081 *.* LISTEN` of BSD, `tcp 0 0 127.0.0.1:8081 0.0.0.0:* LISTEN` of Linux. */
export function tcpFromNetstat(text: string): TcpListener[] {
  return text.split('\n').flatMap((line) => {
    const local = /^tcp\w*\s+\d+\s+\d+\s+(\S+)\s+\S+\s+LISTEN\b/.exec(line)?.[1];
    const place = local === undefined ? undefined : splitAddress(local);
    return place === undefined ? [] : [place];
  });
}

/** Stream sockets with a path; Linux says of each whether it is `LISTENING`, and BSD has an inode only for those. */
export function unixFromNetstat(text: string): UnixListener[] {
  return text.split('\n').flatMap((line) => {
    const isLinux = /^unix\s/.test(line);
    const listens = isLinux
      ? /\bSTREAM\s+LISTENING\b/.test(line)
      : /^[0-9a-f]+\s+stream\s+\d+\s+\d+\s+(?!0\s)[0-9a-f]+\s/.test(line);
    const path = /\s(\/.*\S)\s*$/.exec(line)?.[1];
    return listens && path !== undefined ? [{ path }] : [];
  });
}
