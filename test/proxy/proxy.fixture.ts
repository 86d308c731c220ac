// A proxy in a process of its own, so that its memory can be looked at. Its routes are the arguments.
import { randomUUID } from 'node:crypto';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { compileRoutes } from '../../src/proxy/compile-routes.ts';
import { openProxy } from '../../src/proxy/open-proxy.ts';
import { parseRoute } from '../../src/proxy/route.ts';

const answers = new Map<number, number>();

void openProxy({
  listen: { kind: 'tcp', port: 'auto' },
  rules: compileRoutes(process.argv.slice(2).map(parseRoute)),
  dial: dialLocal,
  remoteName: randomUUID(),
  onRequest: ({ status }) => answers.set(status, (answers.get(status) ?? 0) + 1),
}).then((proxy) => {
  const [bound] = proxy.bound;
  process.send?.({ port: bound?.kind === 'tcp' ? bound.port : 0 });
  process.on('message', () => {
    process.send?.({
      rss: process.memoryUsage.rss(),
      answers: Object.fromEntries(answers),
      open: proxy.open,
    });
  });
});
process.on('disconnect', () => process.exit());
