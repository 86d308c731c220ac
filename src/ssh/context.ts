/** One question to the person. */
export interface Question {
  /** Without a trailing line break. */
  readonly text: string;
  /** False for secrets. */
  readonly echo: boolean;
  /** True: only yes or no is wanted. */
  readonly confirm?: boolean;
}

/**
 * Asks the person and gives the answer, or undefined when they declined (Ctrl-D) or `signal` was aborted.
 * There is no `Ask` at all where nobody can answer.
 */
export type Ask = (question: Question, signal?: AbortSignal) => Promise<string | undefined>;

/** What a connection under way tells and asks. */
export interface SshContext {
  readonly ask?: Ask;
  /** Something the person should read once: a host key was added, an identity file is missing. */
  readonly warn: (message: string) => void;
  /** For `-v`. Never holds a secret. */
  readonly debug: (message: string) => void;
  /** Every message of the protocol, for `-vvv`; what they carry is not in it. Absent: not wanted. */
  readonly trace?: (message: string) => void;
  /** `resolving`, `connecting`, `authenticating`: for the spinner. */
  readonly phase: (phase: Phase) => void;
  readonly signal: AbortSignal;
}

export type Phase = 'resolving' | 'connecting' | 'authenticating';
