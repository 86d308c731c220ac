import { fileURLToPath } from 'node:url';
import { serverEnv } from './env.ts';
import { join, makeNamespace, type Namespace } from './namespace.ts';
import { startServer } from './processes.ts';
import { until } from './until.ts';

/** What has reached a stranger's machine. */
export interface Seen {
  /** Connections that its servers accepted. */
  readonly connections: number;
  /** Bytes that its servers read. */
  readonly received: number;
  /** Bytes inside any TCP segment that came in by its link, whether or not a connection is known to it. */
  readonly payload: number;
}

export interface Impostor {
  readonly prefix: readonly string[];
  readonly seen: Seen;
  /** Waits until it has seen what makes this true. */
  waitFor(what: string, condition: (seen: Seen) => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface ImpostorPlan {
  readonly dir: string;
  /** What it pretends to be. */
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

const script = fileURLToPath(new URL('apps/impostor.py', import.meta.url));

/**
 * A machine on another link, which becomes the victim's default route: as on somebody's Wi-Fi, whatever has no better way
 * goes there. It answers on the given addresses and ports, and counts.
 */
export async function startImpostor(
  victim: Pick<Namespace, 'prefix' | 'ip'>,
  { dir, addresses, ports }: ImpostorPlan,
): Promise<Impostor> {
  const namespace = await makeNamespace();
  try {
    const victimNamespace = { ...victim, name: victim.prefix.at(-1) ?? '', stop: async () => undefined };
    const [dev, there] = await join([victimNamespace, '198.51.100.1/24'], [namespace, '198.51.100.2/24']);
    await victim.ip('addr', 'add', 'fd98::1/64', 'dev', dev, 'nodad');
    await namespace.ip('addr', 'add', 'fd98::2/64', 'dev', there, 'nodad');
    for (const address of addresses) {
      const length = address.includes(':') ? 128 : 32;
      await namespace.ip('addr', 'add', `${address}/${length}`, 'dev', 'lo');
    }
    await victim.ip('route', 'add', 'default', 'via', '198.51.100.2');
    await victim.ip('-6', 'route', 'add', 'default', 'via', 'fd98::2');
    // Answers go back by the link that they came from, whatever address they were sent from.
    await namespace.ip('route', 'add', 'default', 'via', '198.51.100.1');
    await namespace.ip('-6', 'route', 'add', 'default', 'via', 'fd98::1');
    const server = await startServer({
      command: [...namespace.prefix, 'python3', script, there, ...ports.map(String)],
      cwd: dir,
      env: serverEnv(dir),
      ready: (output) => output.includes('connections'),
      stopSignal: 'SIGKILL',
    });
    const seen = (): Seen => JSON.parse(lastLine(server.output)) as Seen;
    return {
      prefix: namespace.prefix,
      get seen() {
        return seen();
      },
      waitFor: (what, condition) => until(`the impostor has seen ${what}`, () => condition(seen())),
      async stop() {
        await server.stop();
        await namespace.stop();
      },
    };
  } catch (error) {
    await namespace.stop();
    throw error;
  }
}

/** The last may be half there. */
function lastLine(output: string): string {
  return output.split('\n').slice(0, -1).at(-1) ?? '';
}
