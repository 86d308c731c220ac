import { execFile } from 'node:child_process';
import { systemCode } from '../../errors.ts';
import { hasNativeCrypto } from '../../ssh/ssh2/native.ts';
import { ok, warning, type Finding, type Outcome, Report } from './finding.ts';
import { checkLeftovers, checkOwnFiles } from './own-files.ts';

/** What `package.json` says of Node.js. */
const NODE = { '20': 19, '22': 12 } as const;
/** V8 has no `Context::GetIsolate` any more, which ssh2 1.17.0 calls. */
const FIRST_WITHOUT_NATIVE = 26;

/** Looks at the program itself, and connects to nothing. */
export async function examineInstallation(onFinding: (finding: Finding) => void): Promise<Report> {
  const report = new Report(onFinding);
  await report.step('node', async () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const least = major === 20 ? NODE[20] : major === 22 ? NODE[22] : 0;
    if (major > 22 || ((major === 20 || major === 22) && minor >= least))
      return ok(`Node.js ${process.versions.node}`);
    return warning(`Node.js ${process.versions.node} has not been tried`, ['Use 20.19, 22.12 or newer.']);
  });
  await report.step('ssh2', async () =>
    hasNativeCrypto()
      ? ok('The native part of ssh2 is there')
      : warning('The native part of ssh2 is missing: a fast network is used half as well', [
          Number.parseInt(process.versions.node, 10) >= FIRST_WITHOUT_NATIVE
            ? `It cannot be built for Node.js ${FIRST_WITHOUT_NATIVE} and newer. An older one has it.`
            : 'It is built where a compiler, make and Python are installed. Install them, then tunnel again.',
        ]),
  );
  await report.step('openssh', openssh);
  await checkOwnFiles(report);
  if (report.isWell) await checkLeftovers(report);
  return report;
}

function openssh(): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('ssh', ['-V'], { timeout: 5000 }, (error, stdout, stderr) => {
      const [said = ''] = `${stdout}${stderr}`.trim().split('\n');
      const why = systemCode(error) === 'ENOENT' ? 'is not installed' : `does not run here: ${said}`;
      resolve(error === null ? ok(said) : withoutOpenssh(why));
    });
  });
}

function withoutOpenssh(why: string): Outcome {
  return warning(
    `OpenSSH's client ${why}. Certificates, FIDO keys outside an agent and GSSAPI cannot be used`,
    ['Your ssh_config is then read by a parser of our own.'],
  );
}
