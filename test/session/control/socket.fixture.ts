import { once } from 'node:events';
import { createServer } from 'node:net';
import { claim } from '../../../src/session/control/socket.ts';

// Listens on a control socket, or claims it, and tells its parent; it goes on until it is killed.
const [what, path = ''] = process.argv.slice(2);

async function listen(): Promise<string> {
  await once(createServer().listen(path), 'listening');
  return 'won';
}

const outcome = what === 'claim' ? await claim(path, listen) : await listen();
process.send?.(outcome ?? 'lost');
setInterval(() => undefined, 1000);
