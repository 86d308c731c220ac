// Makes docs/in-use.svg, the picture in the README, from a real run: `npm run picture`, on a machine that has the servers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig } from '../test/rig/rig.ts';

const COLUMN_PX = 8.4;
const LINE_PX = 20;
const MARGIN_PX = 18;

const rig = new Rig();
try {
  const lines = await record();
  mkdirSync('docs', { recursive: true });
  writeFileSync('docs/in-use.svg', draw(lines));
  console.log(lines.join('\n'));
} finally {
  await rig.stop();
}

/** A person opens a port and a socket, uses both, and a connection is lost and made again. */
async function record(): Promise<string[]> {
  const sshd = await rig.sshd({ relay: true });
  const app = await rig.gunicorn({ dir: `${sshd.home}/app` });
  const caddy = await rig.caddy({ dir: app.dir });
  const specs = [`8081:${caddy.port}`, '3000:~/app/app.sock'];
  const terminal = await rig.terminal([...sshd.client.flags, 'vps', ...specs]);
  await terminal.waitFor(/app\.sock\n/);
  for (const path of ['8081/', '8081/api/frame', '3000/bytes/300000', '3000/hello']) await fetchQuietly(path);
  sshd.relay?.drop();
  await terminal.waitFor(/●[^]*●/);
  await fetchQuietly('3000/bytes/200000');
  await sleep(1200);
  const shown = terminal.screen.split('\n');
  terminal.write('\x03');
  await terminal.exit;
  // There Caddy has port 8081.
  return ['$ tunnel vps 8081 3000:~/app/app.sock', ...shown].map((line) =>
    line.replaceAll(String(caddy.port), '8081'),
  );
}

function fetchQuietly(path: string): Promise<void> {
  return new Promise((resolve) => {
    get(`http://localhost:${path}`, (response) => {
      response.resume().once('close', resolve);
    }).once('error', () => resolve());
  });
}

function draw(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length)) * COLUMN_PX + 2 * MARGIN_PX;
  const height = lines.length * LINE_PX + 2 * MARGIN_PX;
  const text = lines.map((line, index) => {
    const y = MARGIN_PX + (index + 0.8) * LINE_PX;
    return `<text x="${MARGIN_PX}" y="${y}" xml:space="preserve">${coloured(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" role="img" aria-label="tunnel in a terminal">
<style>
  rect { fill: #12161d } text { font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #d5dbe5 }
  .good { fill: #5fd787 } .bad { fill: #ff6b6b } .wait { fill: #ffd75f } .url { fill: #5fd7ff } .dim { fill: #8792a2 }
</style>
<rect width="100%" height="100%" rx="8"/>
${text.join('\n')}
</svg>
`;
}

/** As the terminal colours it. */
function coloured(line: string): string {
  const safe = line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  if (/^\d+ open/.test(line)) return `<tspan class="dim">${safe}</tspan>`;
  const classes: [RegExp, string][] = [
    [/^●/, 'good'],
    [/^✖/, 'bad'],
    [/^○/, 'wait'],
    [/^\$/, 'dim'],
    [/http:\/\/\S+/, 'url'],
    [/→/, 'dim'],
  ];
  return classes.reduce(
    (text, [pattern, name]) => text.replace(pattern, (found) => `<tspan class="${name}">${found}</tspan>`),
    safe,
  );
}
