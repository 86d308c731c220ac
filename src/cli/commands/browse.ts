import { spawn } from 'node:child_process';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { localUrl } from '../../session/labels.ts';
import type { Output } from '../output/output.ts';

/** How long an app may take to answer before the browser is given up. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 500;
const ANSWER_MS = 5000;

/** An output behind which a browser may be started. */
export interface BrowsingOutput extends Output {
  /** Fulfils when the browser has been started, or given up. */
  readonly browsed?: () => Promise<void>;
}

/** The same output; the first forward with a URL is opened in the browser once it answers. */
export function browsing(output: Output): BrowsingOutput {
  let found = false;
  let browsed = Promise.resolve();
  return {
    ...output,
    browsed: () => browsed,
    event(event) {
      output.event(event);
      if (found || event.type !== 'forward') return;
      const url = localUrl(event.forward);
      if (url === undefined || !/^https?:/.test(url)) return;
      found = true;
      browsed = browse(url, output);
    },
  };
}

/** Waits for an answer, whatever it is, and starts the browser. Never rejects: what fails is a warning. */
async function browse(url: string, output: Output): Promise<void> {
  const warn = (message: string): void => output.event({ type: 'warning', message });
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await answers(url))) {
    if (performance.now() > deadline) {
      return warn(`${url} has not answered for ${PATIENCE_MS / 1000} s, so the browser was not opened`);
    }
    await delay(PAUSE_MS);
  }
  const [file = '', ...args] = browserCommand(url);
  const child = spawn(file, args, { detached: true, stdio: 'ignore' });
  child.once('error', (error) => warn(`The browser cannot be opened with ${file}: ${error.message}`));
  child.once('exit', (status) => {
    if (status !== 0 && status !== null)
      warn(`${file} did not open a browser: it ended with status ${status}`);
  });
  child.unref();
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp;
    const asked = request(url, {
      method: 'HEAD',
      agent: false,
      rejectUnauthorized: false,
      timeout: ANSWER_MS,
    });
    asked.once('response', (response) => {
      response.resume();
      asked.destroy();
      resolve(true);
    });
    asked.once('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.once('close', () => resolve(false));
    asked.end();
  });
}

/** $BROWSER as others read it: the first of a list with colons, `%s` for the URL, else the URL at the end. */
export function browserCommand(
  url: string,
  { env = process.env, platform = process.platform }: { env?: NodeJS.ProcessEnv; platform?: string } = {},
): string[] {
  const chosen = env['BROWSER']?.split(':')[0]?.trim();
  if (!chosen) return [platform === 'darwin' ? 'open' : 'xdg-open', url];
  const words = chosen.split(/\s+/);
  return chosen.includes('%s') ? words.map((word) => word.replaceAll('%s', url)) : [...words, url];
}
