import { manPage } from './man-page.ts';

/** The files of the package that the build writes, by their paths in it. */
export function documents(): [path: string, text: string][] {
  return [['man/tunnel.1', manPage()]];
}
