import { carriageReturn, concatBytes, endsWithLineFeed, lineFeed } from "./bytes.ts";
import { linesBetween, withoutEnding } from "./lines.ts";
import { type LineTable, lineTable, noteStarts } from "./lineTable.ts";

const lf = Uint8Array.of(lineFeed);
const crlf = Uint8Array.of(carriageReturn, lineFeed);

/** The ending of one line; null when it has none. */
export function endingOf(line: Uint8Array): Uint8Array | null {
  if (!endsWithLineFeed(line)) return null;
  return line[line.length - 2] === carriageReturn ? crlf : lf;
}

/** Null also when there is no such line. */
export function endingAt(table: LineTable, index: number): Uint8Array | null {
  if (index < 0 || index >= table.count) return null;
  return endingOf(linesBetween(table, index, index + 1));
}

/** The more frequent ending of a file, counted on first use; LF when neither leads. */
export function majorityOf(table: LineTable): () => Uint8Array {
  let majority: Uint8Array | undefined;
  return () => {
    majority ??= countMajority(table);
    return majority;
  };
}

function countMajority(table: LineTable): Uint8Array {
  let balance = 0;
  noteStarts(table);
  for (let index = 0; index < table.count; index++) {
    const ending = endingAt(table, index);
    if (ending !== null) balance += ending === crlf ? 1 : -1;
  }
  return balance > 0 ? crlf : lf;
}

/** The ending that the last line takes when it has none and needs one. */
export function endingForLastLine(table: LineTable, majority: () => Uint8Array): Uint8Array {
  return endingAt(table, table.count - 2) ?? majority();
}

/** A block as whole lines that all have the same ending. */
export function withEnding(block: Uint8Array, ending: Uint8Array): Uint8Array {
  if (ending === lf && !block.includes(carriageReturn))
    return block.length === 0 || endsWithLineFeed(block) ? block : concatBytes([block, lf]);
  const table = lineTable(block);
  const parts: Uint8Array[] = [];
  for (let index = 0; index < table.count; index++)
    parts.push(withoutEnding(linesBetween(table, index, index + 1)), ending);
  return concatBytes(parts);
}
