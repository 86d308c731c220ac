/** The hops of a `ProxyJump`, the nearest first. */
export function splitHops(jump: string | undefined): string[] {
  return jump === undefined || jump.toLowerCase() === 'none' ? [] : jump.split(',').map((hop) => hop.trim());
}
