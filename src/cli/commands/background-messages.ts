import type { ErrorReport, EventReport } from '../../session/report.ts';
import type { Question } from '../../ssh/context.ts';
import type { OpenCommand } from '../command.ts';

/** What the starting process tells the one in the background. */
export type ToBackground =
  | { readonly type: 'open'; readonly command: OpenCommand }
  | { readonly type: 'answer'; readonly id: number; readonly answer?: string | undefined };

/** What the one in the background tells the process that started it. */
export type FromBackground =
  | { readonly type: 'event'; readonly report: EventReport }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'question'; readonly id: number; readonly question: Question }
  | { readonly type: 'opened'; readonly pid: number }
  /** Another process asked for the end before it was open. */
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: ErrorReport };
