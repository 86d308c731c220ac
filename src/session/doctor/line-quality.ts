import type { SshConnection } from '../../ssh/connection.ts';
import { failed, ok, skipped, warning, type Outcome, type Report } from './finding.ts';

const PROBES = 5;
const PROBE_MS = 10_000;
/** Fills the packets of any path many times over. */
const LARGE_BYTES = 48 * 1024;
const COMMAND_BYTES = 24 * 1024;
/** A line of 30 kbit/s needs no longer. */
const LARGE_MS = 15_000;
const SLOW_MS = 500;
/** Certificates, tokens and cookies are refused beyond some minutes. */
const CLOCK_SECONDS = 60;

/** Round-trip time, a large transfer each way, and the difference of the clocks. Returns whether the line is any use. */
export async function checkLine(connection: SshConnection, report: Report): Promise<boolean> {
  let fastest = Infinity;
  const alive = await report.step('round-trip', async () => {
    for (let count = 0; count < PROBES; count += 1) {
      const start = performance.now();
      if (!(await connection.probe(PROBE_MS)))
        return failed(`The server did not answer for ${PROBE_MS / 1000} s`);
      fastest = Math.min(fastest, performance.now() - start);
    }
    const text = `The round trip takes ${fastest < 10 ? fastest.toFixed(1) : Math.round(fastest)} ms`;
    return fastest > SLOW_MS ? warning(`${text}, which is slow`) : ok(text);
  });
  if (alive.verdict === 'failed') return false;
  const canRun = await connection.exec('echo yes').then(
    ({ stdout }) => stdout.trim() === 'yes',
    () => false,
  );
  if (!canRun) {
    report.add(
      'transfer',
      skipped('No command can be run there, so that a large transfer and the clock were not tried'),
    );
    return true;
  }
  const passes = await report.step('transfer', async () => await largeTransfer(connection));
  if (passes.verdict === 'failed') return false;
  await report.step('clock', async () => await compareClocks(connection, fastest));
  return true;
}

/** Small packets have passed: what stalls now is what is too large for the path, which nobody says. */
async function largeTransfer(connection: SshConnection): Promise<Outcome> {
  const start = performance.now();
  try {
    await upload(connection);
    await download(connection);
    return ok(`${LARGE_BYTES / 1024} kB pass each way: no MTU trouble`);
  } catch (error) {
    if (performance.now() - start < LARGE_MS) {
      return warning(
        `A large transfer could not be tried: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return failed(
      'A large transfer stalls, while small ones pass: packets of full size get lost on the way',
      [
        'That is an MTU that is too large for the path, as with a VPN or PPPoE in between.',
        'Make it smaller on the interface that is used here: sudo ip link set dev wg0 mtu 1280',
      ],
    );
  }
}

/** In commands, since one may be sent whole; each fits the packets that any server must take (RFC 4253, section 6.1). */
async function upload(connection: SshConnection): Promise<void> {
  const command = `echo ${'x'.repeat(COMMAND_BYTES)} | wc -c`;
  const commands = Array.from({ length: LARGE_BYTES / COMMAND_BYTES }, () => command);
  const answers = await Promise.all(commands.map((line) => connection.exec(line, LARGE_MS)));
  for (const { stdout } of answers) {
    if (Number(stdout) <= COMMAND_BYTES) throw new Error('a long command did not arrive whole');
  }
}

async function download(connection: SshConnection): Promise<void> {
  const { stdout } = await connection.exec(`head -c ${LARGE_BYTES} /dev/zero | tr "\\000" x`, LARGE_MS);
  if (stdout.length !== LARGE_BYTES) throw new Error(`${stdout.length} of ${LARGE_BYTES} bytes came`);
}

async function compareClocks(connection: SshConnection, roundTripMs: number): Promise<Outcome> {
  const { stdout } = await connection.exec('date +%s');
  const there = Number(stdout.trim());
  if (!Number.isFinite(there) || stdout.trim() === '') return skipped('The clock there could not be read');
  // The seconds there are cut off: on average half of one.
  const difference = there + 0.5 - (Date.now() - roundTripMs / 2) / 1000;
  const seconds = Math.round(Math.abs(difference));
  if (seconds <= CLOCK_SECONDS)
    return ok(`The clocks differ by ${seconds <= 1 ? 'a second at most' : `${seconds} s`}`);
  return warning(`The clock there is ${seconds} s ${difference > 0 ? 'ahead' : 'behind'}`, [
    'Certificates, logins and cookies may be refused for it. Is NTP running on both? timedatectl',
  ]);
}
