import type { MuxClient } from './mux-client.ts';
import type { OpenOutcomes } from './open-outcomes.ts';

/** An ssh that holds the one connection to the host, and answers on a control socket. */
export interface Master {
  readonly controlPath: string;
  readonly mux: MuxClient;
  /** The address that was reached, for people. */
  readonly address: string;
  /** Absent where the master is not ours: it tells its own terminal what the server refused. */
  readonly outcomes?: OpenOutcomes;
  /** Settles when the master has gone, with the reason: the rest of a sentence after a colon. */
  readonly gone: Promise<string>;
  /** Ends it if it is ours, else only our connection to it. */
  end(): void;
}
