import { printable } from './printable.ts';

/** Rows of cells as aligned columns; the first row is the header. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(printable));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What somebody wrote, on one line and not longer than fits. */
export function oneLine(text: string, lengthMax: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return printable(line.length <= lengthMax ? line : `${line.slice(0, lengthMax - 1)}…`.toWellFormed());
}
