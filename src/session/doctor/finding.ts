import { TunnelError } from '../../errors.ts';

/** `warning`: it works, but not as it should. `skipped`: it could not be tried. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

/** What one step has found. */
export interface Finding {
  /** Stable, for programs: `resolve`, `address`, `banner`, `login`, `target`… */
  readonly step: string;
  readonly verdict: Verdict;
  /** One sentence or phrase for a person. */
  readonly what: string;
  /** What was seen, and what to do next. */
  readonly hint: readonly string[];
  readonly ms: number;
  /** Of the error, where there was one. */
  readonly code?: string;
}

export type Outcome = Pick<Finding, 'verdict' | 'what'> & Partial<Pick<Finding, 'hint' | 'code'>>;

export const ok = (what: string, hint: readonly string[] = []): Outcome => ({ verdict: 'ok', what, hint });
export const warning = (what: string, hint: readonly string[] = []): Outcome => ({
  verdict: 'warning',
  what,
  hint,
});
export const failed = (what: string, hint: readonly string[] = []): Outcome => ({
  verdict: 'failed',
  what,
  hint,
});
export const skipped = (what: string, hint: readonly string[] = []): Outcome => ({
  verdict: 'skipped',
  what,
  hint,
});

/** An error as what a step has found. */
export function fromError(error: unknown, verdict: Verdict = 'failed'): Outcome {
  if (error instanceof TunnelError) {
    return { verdict, what: error.message, hint: error.hint, code: error.code };
  }
  return { verdict, what: error instanceof Error ? error.message : String(error), code: 'unknown' };
}

/** Takes the findings down, one step after the other, and tells each at once. */
export class Report {
  readonly findings: Finding[] = [];
  readonly #tell: (finding: Finding) => void;

  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell;
  }

  /** Nothing is wrong; a warning is not. */
  get isWell(): boolean {
    return this.findings.every(({ verdict }) => verdict !== 'failed');
  }

  add(step: string, outcome: Outcome, ms = 0): Outcome {
    const finding: Finding = { step, hint: [], ms: Math.round(ms * 10) / 10, ...outcome };
    this.findings.push(finding);
    this.#tell(finding);
    return outcome;
  }

  /** Runs one step; what it throws is a failure. */
  async step(step: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const start = performance.now();
    const outcome = await work().catch((error: unknown) => fromError(error));
    return this.add(step, outcome, performance.now() - start);
  }
}
