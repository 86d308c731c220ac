import { isHostPattern } from './host.ts';
import type { Rule } from './rule.ts';

/** Every host that a rule speaks of: a proxy that has a rule for a name answers to it. */
export function hostsOf(rules: readonly Rule[]): readonly string[] {
  return rules
    .flatMap(({ match, steps }) => [
      ...match.flatMap(({ hosts = [] }) => hosts),
      ...steps.flatMap((step) => (step.do === 'rules' ? hostsOf(step.rules) : [])),
    ])
    .filter(isHostPattern);
}

/** The names of the rules that are shown where nothing else is. */
export function namesOf(rules: readonly Rule[]): readonly string[] {
  return rules.flatMap(({ name, steps }) => [
    ...(name === undefined ? [] : [name]),
    ...steps.flatMap((step) => (step.do === 'rules' ? namesOf(step.rules) : [])),
  ]);
}
