import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverEnv } from './env.ts';
import { startServer, type ServerProcess } from './processes.ts';
import { fileURLToPath } from 'node:url';

/**
 * A network namespace: a remote machine with ports of its own, so that a port is listened on here and there at once, as
 * in `tunnel vps 8081`. Its files are those of this machine, so Unix sockets are reached from both.
 */
export interface Machine {
  /** Put before a command, runs it there. */
  readonly prefix: readonly string[];
  /** Makes a port of the machine reachable from here, as a Unix socket whose path is given. */
  expose(port: number): Promise<string>;
  stop(): Promise<void>;
}

export interface MachineOptions {
  /** Names that resolve there and not here: `{ otherhost: '127.0.0.2' }`. */
  readonly hosts?: Readonly<Record<string, string>>;
}

const bridgeScript = fileURLToPath(new URL('bridge.js', import.meta.url));

/** Needs root. Servers started there must be stopped before it. */
export async function startMachine(dir: string, { hosts = {} }: MachineOptions = {}): Promise<Machine> {
  const hostsFile = join(dir, 'hosts');
  const names = { localhost: '127.0.0.1', 'localhost ip6-localhost': '::1', ...hosts };
  writeFileSync(
    hostsFile,
    Object.entries(names)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(''),
  );
  const prepare = `ip link set lo up && mount --bind ${hostsFile} /etc/hosts && echo ready && exec sleep infinity`;
  const namespace = await startServer({
    command: ['unshare', '--net', '--mount', 'sh', '-c', prepare],
    cwd: dir,
    env: serverEnv(dir),
    ready: (output) => output.includes('ready'),
    stopSignal: 'SIGKILL',
  });
  const bridges: ServerProcess[] = [];
  const prefix = ['nsenter', '--net', '--mount', '--wd=.', `--target=${namespace.pid}`, '--'];
  return {
    prefix,
    async expose(port) {
      const path = join(dir, `${port}.sock`);
      const bridge = await startServer({
        command: [...prefix, process.execPath, bridgeScript, path, String(port)],
        cwd: dir,
        env: serverEnv(dir),
        ready: (output) => output.includes('ready'),
        stopSignal: 'SIGKILL',
      });
      bridges.push(bridge);
      return path;
    },
    async stop() {
      for (const bridge of bridges) await bridge.stop();
      await namespace.stop();
    },
  };
}
