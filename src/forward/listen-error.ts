import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { bracketed } from '../endpoint.ts';
import { ListenError, systemCode } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import {
  type DynamicSpec,
  formatFlag,
  type HttpPlace,
  type LocalSpec,
  localSocketPath,
  type TcpListen,
} from '../spec.ts';
import { findPortHolder, type PortHolder } from './port-holder.ts';

/** The system's error of a `listen` as one that says why, by whose doing, and what to write instead. */
export async function toListenError(
  error: unknown,
  spec: LocalSpec | DynamicSpec | HttpPlace,
): Promise<ListenError> {
  if (error instanceof ListenError) return error;
  return spec.listen.kind === 'unix'
    ? unixError(error, spec.listen.path)
    : tcpError(error, spec, spec.listen);
}

/** The system's error of a connection that a listener did not accept; it goes on listening. */
export function toAcceptError(error: Error, spec: LocalSpec | DynamicSpec | HttpPlace): ListenError {
  const what = `A connection to ${formatFlag(spec)} was not accepted: ${error.message}`;
  return new ListenError('accept-failed', what, { hint: descriptorHint(error), cause: error });
}

async function tcpError(
  error: unknown,
  spec: LocalSpec | DynamicSpec | HttpPlace,
  listen: TcpListen,
): Promise<ListenError> {
  const { address, port } = failedAt(error, listen);
  const where = `Cannot listen on ${bracketed(address)}:${port}`;
  switch (systemCode(error)) {
    case 'EADDRINUSE': {
      const holder = isIP(address) === 0 ? undefined : await findPortHolder(address, port);
      return new ListenError('port-in-use', `${where}: the port is in use by ${describe(holder)}`, {
        hint: [...stopHint(holder), `Use another local port: ${withPort(spec, listen, nextPort(port))}`],
        cause: error,
      });
    }
    case 'EACCES':
      if (port >= 1024) return otherError(where, error);
      return new ListenError('port-privileged', `${where}: only root may listen on this port`, {
        hint: [`Use a port from 1024 up: ${withPort(spec, listen, port + 8000)}`],
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return new ListenError('address-not-available', `${where}: this machine does not have that address`, {
        hint: [
          `Leave it out to listen on the loopback addresses: ${withPort(spec, { kind: 'tcp', port }, port)}`,
        ],
        cause: error,
      });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError('address-not-available', `${where}: the name ${address} was not found`, {
        hint: [
          `Leave it out to listen on the loopback addresses: ${withPort(spec, { kind: 'tcp', port }, port)}`,
        ],
        cause: error,
      });
    default:
      return otherError(where, error);
  }
}

function unixError(error: unknown, path: string): ListenError {
  const place = localSocketPath(path);
  const folder = dirname(place);
  const where = `Cannot listen on ${place}`;
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new ListenError('folder-missing', `${where}: there is no folder ${folder}`, {
        hint: [`Make it: mkdir -p ${shellWord(folder)}`],
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ListenError('folder-not-writable', `${where}: you may not make files in ${folder}`, {
        hint: ['Write a socket in a folder of your own.'],
        cause: error,
      });
    default:
      return otherError(where, error);
  }
}

function otherError(where: string, error: unknown): ListenError {
  const why = error instanceof Error ? error.message : String(error);
  return new ListenError('listen-failed', `${where}: ${why}`, { hint: descriptorHint(error), cause: error });
}

function descriptorHint(error: unknown): readonly string[] {
  return systemCode(error) === 'EMFILE'
    ? ['This process has no file descriptors left; raise the limit: ulimit -n']
    : [];
}

/** Node.js puts the address that failed on its error, or the name that it could not resolve. */
function failedAt(error: unknown, listen: TcpListen): { readonly address: string; readonly port: number } {
  const detail = error as { readonly address?: string; readonly port?: number };
  const port = listen.port === 'auto' ? 0 : listen.port;
  return { address: detail.address ?? listen.host ?? 'localhost', port: detail.port ?? port };
}

function describe(holder: PortHolder | undefined): string {
  if (holder === undefined) return 'a process that cannot be seen from here';
  if (holder.kind === 'user') return `a process of another user (uid ${holder.uid})`;
  if (holder.pid === process.pid) return 'another forward of this process';
  return `${holder.name} (pid ${holder.pid})`;
}

function stopHint(holder: PortHolder | undefined): readonly string[] {
  return holder?.kind === 'process' && holder.pid !== process.pid ? [`Stop it: kill ${holder.pid}`] : [];
}

function withPort(spec: LocalSpec | DynamicSpec | HttpPlace, listen: TcpListen, port: number): string {
  return formatFlag({ ...spec, listen: { ...listen, port } });
}

function nextPort(port: number): number {
  return port === 65_535 ? port - 1 : port + 1;
}
