import { createHash } from "node:crypto";

/** An id that depends on the content alone, as git's do. */
export const shaOf = (text: string): string => createHash("sha1").update(text).digest("hex");
