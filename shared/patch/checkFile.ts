import type { PatchFaultCode, PatchFile, PatchSet } from "../contracts/aiPatch.ts";
import { decodeBase64 } from "./base64.ts";
import { encodeText } from "./bytes.ts";
import type { ShapeFault } from "./shape.ts";

/** The fields that each operation on a file takes beside `op`. */
const fieldsOfOperation: Record<PatchFile["op"], readonly (keyof PatchFile)[]> = {
  edit: ["pre", "post", "mode", "eof"],
  create: ["pre", "post", "mode", "eof", "content"],
  delete: ["pre"],
  rename: ["pre", "post", "from", "mode", "eof"],
  copy: ["pre", "post", "from", "mode", "eof"],
  replace: ["pre", "post", "mode", "content"],
};

const optionalFields = ["pre", "post", "from", "mode", "eof", "content"] as const;

/** Operations whose outcome is fully said by the file entry, so that no patch can follow. */
export function takesPatches({ op, content }: PatchFile): boolean {
  return op !== "delete" && op !== "replace" && !(op === "create" && content !== undefined);
}

const nothing: readonly ShapeFault[] = [];

/** What can be wrong with the entry of one file, apart from its paths. */
export function fileEntryFaults(
  path: string,
  file: PatchFile,
  mode: PatchSet["mode"],
): readonly ShapeFault[] {
  if (isPlainEdit(file)) return nothing;
  return [
    ...fieldFaults(file),
    ...preFaults(file),
    ...eofFaults(file, mode),
    ...contentFaults(file),
    ...(file.from === path ? [because("file_exists", `${file.op} from a path to itself`)] : []),
    ...(isSymlink(file) ? [because("path_not_allowed", "symbolic links are not patched")] : []),
  ];
}

/** An edit of lines that says nothing else of its file. */
function isPlainEdit({ op, pre, post, from, mode, eof, content }: PatchFile): boolean {
  const says = pre ?? post ?? from ?? mode ?? eof ?? content;
  return op === "edit" && says === undefined;
}

function fieldFaults(file: PatchFile): ShapeFault[] {
  const allowed = fieldsOfOperation[file.op];
  const unexpected = optionalFields
    .filter((name) => file[name] !== undefined && !allowed.includes(name))
    .map((name) => because("unexpected_field", `${file.op} takes no ${name}`));
  const required = { rename: "from", copy: "from", replace: "content", delete: "pre" } as const;
  const needed = file.op in required ? required[file.op as keyof typeof required] : null;
  if (needed === null || file[needed] !== undefined) return unexpected;
  return [...unexpected, because("missing_field", `${file.op} needs ${needed}`)];
}

function preFaults({ op, pre }: PatchFile): ShapeFault[] {
  if (pre === undefined) return [];
  if (pre === "absent")
    return op === "create" ? [] : [because("unexpected_field", `${op} needs the file to be there`)];
  if (op === "create") return [because("unexpected_field", "create needs the file to be absent")];
  const hasHash = pre.blob !== undefined || pre.sha256 !== undefined;
  if (op === "delete" && !hasHash) return [because("missing_field", "delete needs a hash in pre")];
  return [];
}

function eofFaults({ op, eof, content }: PatchFile, mode: PatchSet["mode"]): ShapeFault[] {
  if (eof === undefined || eof === "preserve") return [];
  if (mode === "exact")
    return [
      because("unexpected_field", `mode exact takes its bytes literally, eof cannot be ${eof}`),
    ];
  if (op === "create" && content !== undefined)
    return [because("unexpected_field", "content is taken literally, eof cannot change it")];
  return [];
}

function contentFaults({ content }: PatchFile): ShapeFault[] {
  if (content === undefined) return [];
  if ("r2" in content && content.r2 !== undefined)
    return [because("unexpected_field", "content.r2 has to be resolved to its bytes first")];
  return contentBytes(content) === null
    ? [because("ill_formed_text", "content is not well-formed")]
    : [];
}

/** Null when the content is not well-formed, or not in the set itself. */
export function contentBytes(content: NonNullable<PatchFile["content"]>): Uint8Array | null {
  if ("text" in content && content.text !== undefined)
    return content.text.isWellFormed() ? encodeText(content.text) : null;
  return "base64" in content ? decodeBase64(content.base64) : null;
}

function isSymlink({ mode, pre }: PatchFile): boolean {
  return mode === "120000" || (typeof pre === "object" && pre.mode === "120000");
}

function because(code: PatchFaultCode, message: string): ShapeFault {
  return { code, message };
}
