import type { UsageError } from '../../errors.ts';
import type { HeaderOps } from '../rule.ts';
import type { Directive } from './blocks.ts';
import { compactOps } from './scope.ts';

type Draft = {
  add: [string, string][];
  set: [string, string][];
  fallback: [string, string][];
  remove: string[];
  replace: { name: string; search: RegExp; by: string }[];
  deferred: boolean;
};

type Refuse = (line: number, why: string) => UsageError;

function draft(): Draft {
  return { add: [], set: [], fallback: [], remove: [], replace: [], deferred: false };
}

export interface HeaderLine {
  readonly line: number;
  readonly field: string;
  readonly values: readonly string[];
}

/**
 * `header`, `header_up` and `header_down`: `Name value`, `+Name`, `-Name`, `?Name`, `>Name`, `Name search replace`.
 * What is removed, or is only there for want of another, is done when the answer's header is complete; so is, with one `>`, all of it.
 */
export function toHeaderOps(lines: readonly HeaderLine[], refuse: Refuse): HeaderOps {
  const ops = draft();
  for (const one of lines) addLine(ops, one, refuse);
  return compactOps(ops);
}

function addLine(ops: Draft, { line, field, values }: HeaderLine, refuse: Refuse): void {
  const [, sign = '', name = ''] = /^([+\-?>]?)(.*)$/.exec(field) ?? [];
  const [value, by, ...more] = values;
  if (!/^[\w*!#$%&'.^`|~+-]+$/.test(name) || more.length > 0)
    throw refuse(line, `${field} is not a header field`);
  if (sign === '-') {
    if (value !== undefined) throw refuse(line, `-${name} takes no value`);
    ops.remove.push(name);
    ops.deferred = true;
    return;
  }
  if (value === undefined) throw refuse(line, `a value for ${name} is missing`);
  if (by !== undefined) {
    ops.replace.push({
      name,
      search: toRegExp(value, line, refuse),
      by: by.replace(/\$\{?(\d+)\}?/g, '$$$1'),
    });
    ops.deferred = true;
    return;
  }
  if (sign === '+') ops.add.push([name, value]);
  else if (sign === '?') ops.fallback.push([name, value]);
  else ops.set.push([name, value]);
  if (sign === '>' || sign === '?') ops.deferred = true;
}

export function toRegExp(source: string, line: number, refuse: Refuse): RegExp {
  try {
    return new RegExp(source, 'g');
  } catch {
    throw refuse(line, `${source} is not a regular expression that is understood here`);
  }
}

/** The fields of a block, one a line; `defer` alone is said of all of them. */
export function headerLines(block: readonly Directive[]): { lines: HeaderLine[]; defer: boolean } {
  const lines = block
    .filter(({ name }) => name !== 'defer')
    .map(({ name, args, line }) => ({
      line,
      field: name.replace(/:$/, ''),
      values: args.map(({ text }) => text),
    }));
  return { lines, defer: lines.length < block.length };
}
