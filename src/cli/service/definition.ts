/** What the operating system runs at login. */
export interface ServiceDefinition {
  /** What the session is called. */
  readonly session: string;
  /** The program and its arguments, all of them absolute or independent of the working directory. */
  readonly command: readonly string[];
  /** Where relative paths in the arguments are from. */
  readonly directory: string;
  /** What of the environment the program needs: where its files are, and the agent. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What keeps services at login, on one kind of system. */
export interface ServiceManager {
  /** `tunnel-vps.service` */
  readonly fileName: (session: string) => string;
  readonly directory: () => string;
  readonly file: (definition: ServiceDefinition) => string;
  /** Commands that start it now and at each login; that stop it; that show it. */
  readonly enable: (file: string) => readonly (readonly string[])[];
  readonly disable: (file: string) => readonly (readonly string[])[];
  readonly status: (file: string) => readonly string[];
}

/** A name that a service may have, different for different sessions. */
export function serviceName(session: string): string {
  // Letters that mean nothing to systemd or to a file system; the others by their number.
  return `tunnel-${session.replaceAll(/[^\w@.-]/g, (letter) => `_${letter.codePointAt(0)?.toString(16)}_`)}`;
}
