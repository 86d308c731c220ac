import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { tempFolder } from '../forward/streams.ts';

export interface ProxyProcess {
  readonly port: number;
  look(): Promise<{ readonly rss: number; readonly answers: Record<string, number>; readonly open: number }>;
}

/** Starts a proxy in a process of its own: bundled, since a compiler beside it would use more memory than it does. */
export async function startProxyProcess(t: TestContext, routes: readonly string[]): Promise<ProxyProcess> {
  const outfile = join(tempFolder(t), 'proxy.cjs');
  const entry = fileURLToPath(new URL('proxy.fixture.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
  });
  // Recent versions of Node.js put off collecting garbage; it is not what is measured.
  const child = fork(outfile, routes, { execArgv: ['--max-semi-space-size=1'] });
  t.after(async () => {
    const exit = once(child, 'exit');
    child.kill();
    await exit;
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
    async look() {
      if (!child.connected) throw new Error('The proxy has ended');
      const answer = once(child, 'message');
      child.send('look');
      return ((await answer) as [Awaited<ReturnType<ProxyProcess['look']>>])[0];
    },
  };
}
