import type { Client } from 'ssh2';

const TIMEOUT_MS = 10_000;

/** Where the SFTP server starts; undefined if there is none, or if it does not answer. */
export function homeFromSftp(client: Client): Promise<string | undefined> {
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve(undefined);
    }, TIMEOUT_MS);
    const done = (path?: string): void => {
      clearTimeout(timer);
      resolve(path);
    };
    client.sftp((error, sftp) => {
      if (error) return done();
      sftp.on('error', () => done());
      if (late) return sftp.end();
      sftp.realpath('.', (failure, path) => {
        sftp.end();
        done(failure === undefined || failure === null ? path : undefined);
      });
    });
  });
}
