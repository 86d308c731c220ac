import type { Finding, Report } from '../../session/doctor/finding.ts';
import { examineHost } from '../../session/doctor/host.ts';
import { examineInstallation } from '../../session/doctor/installation.ts';
import { askWith } from '../../ssh/askpass.ts';
import type { DoctorCommand } from '../command.ts';
import { findingLines } from '../output/finding-lines.ts';
import { messages } from '../output/messages.ts';
import type { Screens } from '../output/output.ts';
import { painter } from '../output/screen.ts';
import { terminalAsk } from '../prompt.ts';
import { aborted, catchStopSignals, signalStatus } from '../signals.ts';

/** Goes through what can be wrong, and shows each step as it is found. Fulfils with 0 only if all is well. */
export async function doctor(command: DoctorCommand, screens: Screens = process): Promise<number> {
  const { stdout, stderr } = screens;
  const { json } = command;
  const stop = catchStopSignals();
  const paint = painter(stdout);
  const onFinding = (finding: Finding): void => {
    if (!json) for (const line of findingLines(finding, paint)) stdout.write(`${line}\n`);
  };
  const say = messages(command, painter(stderr), (line) => stderr.write(`${line}\n`));
  const examine = async (): Promise<Report> => {
    if (command.about === 'installation') return await examineInstallation(onFinding);
    const ask = askWith(terminalAsk(stop.interrupt));
    const { destination, ssh: flags, transport, forwards, vpn } = command;
    return await examineHost({
      destination,
      flags,
      transport,
      ...(forwards && { forwards }),
      ...(vpn && { vpn: vpn.address }),
      ...(ask && { ask }),
      signal: stop.first,
      onFinding,
      debug: say.debug,
    });
  };
  const report = await Promise.race([examine(), aborted(stop.first)]);
  if (report === undefined) return signalStatus(stop.received ?? 'SIGINT');
  if (json) {
    const host = command.about === 'host' ? { host: command.destination.host } : {};
    stdout.write(
      `${JSON.stringify({ ...host, ok: report.isWell, findings: report.findings }, undefined, 2)}\n`,
    );
  }
  return report.isWell ? 0 : 1;
}
