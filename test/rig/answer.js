// Answers each connection with NAME and what it was sent, when that has ended: node answer.js NAME HOST PORT...
// Plain JavaScript, since it starts on its own on another machine of the rig.
import { createServer } from 'node:net';

const [name, host, ...ports] = process.argv.slice(2);

await Promise.all(
  ports.map((port) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (data) => (text += data));
      socket.on('end', () => socket.end(`${name} ${text}`)).on('error', () => undefined);
    });
    return new Promise((resolve) => {
      server.listen(Number(port), host, resolve);
    });
  }),
);
console.log('ready');
