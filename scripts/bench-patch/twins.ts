import { decodeUtf8, isBinary } from "../../shared/patch/bytes.ts";
import type { TreeFile } from "../../shared/patch/treeFile.ts";
import type { Tree } from "./roundTrip.ts";

/** The same change in other bytes: what real histories at hand hardly hold. */
export const twins: Record<string, (tree: Tree) => Tree> = {
  CRLF: (tree) => mapText(tree, (bytes) => replaced(bytes, [[0x0a, [0x0d, 0x0a]]])),
  BOM: (tree) => mapText(tree, (bytes) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])),
  // Every `e` gets an accent in Latin-1, which is no UTF-8.
  "Latin-1": (tree) => mapText(tree, (bytes) => replaced(bytes, [[0x65, [0xe9]]])),
};

function mapText(tree: Tree, change: (bytes: Uint8Array) => Uint8Array): Tree {
  const isText = ({ bytes }: TreeFile) => !isBinary(bytes) && decodeUtf8(bytes) !== null;
  return new Map(
    [...tree].map(([path, file]) => [
      path,
      isText(file) ? { ...file, bytes: change(file.bytes) } : file,
    ]),
  );
}

function replaced(bytes: Uint8Array, by: readonly [number, number[]][]): Uint8Array {
  const table = new Map(by);
  return Uint8Array.from([...bytes].flatMap((byte) => table.get(byte) ?? [byte]));
}
