// The server behind sshd, in a process of its own: `node far-side.ts PATH` listens on a port, which it prints, and a socket.
// The first line of a connection says what it is for: `down BYTES`, `up` (answered with the count), `echo`, or `parts`: each
// question is answered with a head and then a body, as many web servers do.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';

const block = randomBytes(256 * 1024);

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (data: Buffer) => {
    const end = data.indexOf('\n');
    const [command, argument] = data.toString('latin1', 0, end).split(' ');
    const rest = data.subarray(end + 1);
    if (command === 'down') send(socket, Number(argument));
    else if (command === 'up') count(socket, rest.length);
    else if (command === 'parts') socket.on('data', () => answerInParts(socket));
    else {
      socket.write(rest);
      socket.pipe(socket);
    }
  });
}

function answerInParts(socket: Socket): void {
  socket.write(block.subarray(0, 200));
  // Later than sshd takes to pass on the first part.
  setTimeout(() => socket.write(block.subarray(0, 600)), 1);
}

function send(socket: Socket, bytes: number): void {
  let left = bytes;
  const go = (): void => {
    while (left > 0) {
      const part = left < block.length ? block.subarray(0, left) : block;
      left -= part.length;
      if (!socket.write(part)) return;
    }
    socket.off('drain', go).end();
  };
  socket.on('drain', go).resume();
  go();
}

function count(socket: Socket, before: number): void {
  let bytes = before;
  socket.on('data', (data: Buffer) => (bytes += data.length));
  socket.once('end', () => socket.end(`${bytes}\n`));
}

function start(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 256 * 1024 }, serve);
}

const tcp = start().listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
  const { port } = tcp.address() as AddressInfo;
  start().listen({ path: process.argv[2] ?? '', backlog: 1024 }, () => console.log(`port ${port}`));
});
