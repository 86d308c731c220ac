import { runProgram } from './exec.ts';
import { clientOptions } from './ssh-arguments.ts';

const TIMEOUT_MS = 10_000;
const LABEL = 'Remote working directory: ';

/** Where the SFTP server starts; undefined if there is none, or if it does not answer. */
export async function homeFromSftp(controlPath: string, alias: string): Promise<string | undefined> {
  const args = [...clientOptions(controlPath), '-b', '-', '--', alias];
  const result = await runProgram('sftp', args, { timeoutMs: TIMEOUT_MS, input: 'pwd\n' }).catch(
    () => undefined,
  );
  const line = result?.stdout.split('\n').find((text) => text.startsWith(LABEL));
  return line?.slice(LABEL.length).trimEnd();
}
