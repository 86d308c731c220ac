import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEnd, type Field, toFields, toObject } from './header-fields.ts';
import { applyHeaderOps } from './header-ops.ts';
import { presentAnswer, type Presented } from './presented.ts';
import type { HeaderOps } from './rule.ts';

export interface Downward {
  readonly hostport: string;
  readonly presented: Presented | undefined;
  readonly down: HeaderOps | undefined;
  readonly expand: (text: string) => string;
}

/** The header of an upstream's answer as the client gets it: the one function for answers and upgrades alike. */
export function headerDown(answer: IncomingMessage, downward: Downward): Field[] {
  const { hostport, presented, down, expand } = downward;
  let fields = endToEnd(toFields(answer.rawHeaders));
  if (presented !== undefined) fields = presentAnswer(fields, presented, { hostport });
  if (down !== undefined) fields = applyHeaderOps(fields, down, expand);
  return fields;
}

/** Beside what is set already: as in Caddy, an answer's own fields do not replace those of a `header` directive. */
export function setFields(response: ServerResponse, fields: readonly Field[]): void {
  for (const [name, value] of Object.entries(toObject(fields))) response.appendHeader(name, value);
}
