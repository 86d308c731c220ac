import type { TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { startUpstream, type Upstream } from './start.ts';

/** A frontend of the kind people write: it draws what the app's pandas has counted, and talks to a live service. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Visits</title>
<link rel="stylesheet" href="style.css">
<h1>Visits</h1>
<svg id="chart" width="320" height="200" role="img"></svg>
<p>WebSocket: <output id="socket"></output></p>
<p>Events: <output id="events"></output></p>
<p><input id="file" type="file"> <output id="upload"></output></p>
<p><a id="download" href="/api/bytes/300000" download="bytes.bin">Download</a></p>
<script src="app.js"></script>
</html>
`;

export const style = `body { font: 16px sans-serif; margin: 2rem; } rect { fill: rgb(30, 100, 200); }`;

export const script = `
const show = (id, text) => (document.querySelector(id).textContent = text);
fetch('/api/frame')
  .then((response) => response.json())
  .then((rows) => {
    const svg = document.querySelector('#chart');
    rows.forEach(({ day, total }, index) => {
      const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
      Object.entries({ x: index * 100, y: 200 - total * 10, width: 80, height: total * 10 }).forEach(([name, value]) =>
        bar.setAttribute(name, value),
      );
      bar.setAttribute('data-day', day);
      svg.append(bar);
    });
  });
const socket = new WebSocket('ws://' + location.host + '/live/echo');
socket.onopen = () => socket.send('hello over a WebSocket');
socket.onmessage = ({ data }) => show('#socket', data);
const events = new EventSource('/live/events');
events.onmessage = ({ data }) => {
  show('#events', (document.querySelector('#events').textContent + ' ' + data).trim());
  if (data === 'three') events.close();
};
document.querySelector('#file').onchange = async ({ target }) => {
  const response = await fetch('/api/sha256', { method: 'POST', body: target.files[0] });
  show('#upload', (await response.json()).sha256);
};
`;

/** What the page talks to: events that come one after the other, and an echo. */
export async function startLive(t: TestContext): Promise<Upstream> {
  const live = await startUpstream(t, (request, response) => {
    if (request.url !== '/events') return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const words = ['one', 'two', 'three'];
    const timer = setInterval(() => {
      const word = words.shift();
      if (word === undefined) clearInterval(timer);
      else response.write(`data: ${word}\n\n`);
    }, 30);
    response.on('close', () => clearInterval(timer));
  });
  const echo = new WebSocketServer({ server: live.server, path: '/echo' });
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
  t.after(() => echo.close());
  return live;
}
