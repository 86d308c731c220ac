// Listens on a Unix socket and connects to a port: the way into a network namespace, as files are shared between them.
// Plain JavaScript, since it starts on its own: node bridge.js SOCKET PORT
import { connect, createServer } from 'node:net';

const [path, port] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, (outside) => {
  const inside = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true, noDelay: true });
  outside.pipe(inside).pipe(outside);
  outside.on('error', () => inside.destroy()).on('close', () => inside.destroySoon());
  inside.on('error', () => outside.destroy()).on('close', () => outside.destroySoon());
}).listen(path, () => console.log('ready'));
