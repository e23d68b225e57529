import type { PatchFault, PatchSet } from "../contracts/aiPatch.ts";
import { isAllowedPath } from "../patch/allowedPaths.ts";
import { decodeBase64 } from "../patch/base64.ts";
import { isBinary } from "../patch/bytes.ts";
import { contentBytes } from "../patch/checkFile.ts";
import { fileFault, patchFault } from "../patch/faults.ts";
import { type SecretFinding, scanText } from "./scanText.ts";

export type SecretScanOptions = {
  /** Path patterns, as in a set's allowed paths. */
  ignorePaths?: readonly string[] | undefined;
  ignoreRules?: readonly string[] | undefined;
};

/** A fault for every place of a set that adds a secret. It names rule, file and line, and never the secret. */
export function findSecrets(set: PatchSet, options: SecretScanOptions): PatchFault[] {
  const { ignorePaths = [], ignoreRules = [] } = options;
  const isScanned = (path: string) => !isAllowedPath(path, ignorePaths);
  const scan = (text: string | null) => (text === null ? [] : scanText(text, ignoreRules));
  const inContents = Object.entries(set.files).flatMap(([path, { content }]) =>
    content !== undefined && isScanned(path)
      ? scan(textOf(contentBytes(content))).map((found) =>
          fileFault(path, "secret_found", describe(found, "")),
        )
      : [],
  );
  const inBlocks = set.patches.flatMap((patch, index) =>
    isScanned(patch.file)
      ? scan(blockText(patch)).map((found) =>
          patchFault({ index, patch }, "secret_found", describe(found, placeOf(patch))),
        )
      : [],
  );
  return [...inContents, ...inBlocks];
}

const describe = ({ rule, line }: SecretFinding, place: string): string =>
  `line ${line}${place} holds a secret (${rule})`;

const placeOf = ({ start, line }: PatchSet["patches"][number]): string => {
  const at = start ?? line;
  return ` of the block${at === undefined ? "" : ` at line ${at}`}`;
};

const blockText = ({ block, block_encoding }: PatchSet["patches"][number]): string | null =>
  block_encoding === "base64" ? textOf(decodeBase64(block)) : block;

/** Whatever a text's encoding, what a rule looks for is ASCII. Binary content is judged by its own policy. */
const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null || isBinary(bytes) ? null : new TextDecoder().decode(bytes);
