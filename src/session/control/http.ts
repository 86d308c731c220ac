/**
 * node:http without `import`, which reads everything that a built-in module exports: in Node.js 22 that is a WebSocket
 * as well, and to load it takes as long as Node.js takes to start.
 */
export const { createServer, request } = process.getBuiltinModule('node:http');
