/** A place, and of each Node.js the names of the checks that failed there. */
export interface Row {
  readonly name: string;
  readonly cells: (readonly string[])[];
}

/** For a terminal: a place a line, a Node.js a column. */
export function table(columns: readonly string[], rows: readonly Row[], checks: number): string {
  const lines = [
    ['', ...columns],
    ...rows.map(({ name, cells }) => [
      name,
      ...cells.map((failed) => (failed.length === 0 ? `✔ ${checks}` : `✖ ${failed.join(', ')}`)),
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
