import { fileModes, fileOperations, finalNewlines, patchOperations } from "../contracts/aiPatch.ts";
import {
  type Check,
  type Fields,
  hexDigits,
  isRecord,
  objectOf,
  oneOf,
  pathText,
  share,
  text,
  unsupported,
  wholeNumber,
} from "./shape.ts";

/** The wire types of contracts/aiPatch.ts once more, as checks that answer with a code. A test holds them equal. */
const required = true;

const gitlinkMode = "160000";

const mode: Check = (value, name) =>
  value === gitlinkMode
    ? [{ code: "path_not_allowed", message: `${name} makes a submodule` }]
    : oneOf(fileModes)(value, name);

const preImage = objectOf({
  blob: { check: hexDigits(40) },
  sha256: { check: hexDigits(64) },
  mode: { check: mode },
});

const contentFields = ["text", "base64", "r2"];
const contentField = objectOf({
  text: { check: text },
  base64: { check: text },
  r2: { check: text },
});

const content: Check = (value, name) => {
  const faults = contentField(value, name);
  if (faults.length > 0 || !isRecord(value)) return faults;
  const given = contentFields.filter((key) => value[key] !== undefined);
  if (given.length === 0) return [{ code: "missing_field", message: `${name} is empty` }];
  if (given.length === 1) return [];
  return [{ code: "unexpected_field", message: `${name} says the same thing twice` }];
};

const expectation = { block: { check: text }, before: { check: text }, after: { check: text } };

const metadata = {
  provider: { check: text, required },
  confidence: { check: share },
  model: { check: text },
} as const satisfies Fields;

export const patchShape = objectOf({
  task_id: { check: text, required },
  file: { check: pathText, required },
  operation: { check: oneOf(patchOperations, "unknown_operation"), required },
  start: { check: wholeNumber },
  end: { check: wholeNumber },
  line: { check: wholeNumber },
  block: { check: text, required },
  metadata: { check: objectOf(metadata), required },
  block_encoding: { check: oneOf(["utf-8", "base64"]) },
  expect: { check: objectOf(expectation) },
});

export const fileShape = objectOf({
  op: { check: oneOf(fileOperations, "unknown_operation"), required },
  pre: { check: (value, name) => (value === "absent" ? [] : preImage(value, name)) },
  post: { check: objectOf({ sha256: { check: hexDigits(64) } }) },
  from: { check: pathText },
  mode: { check: mode },
  eof: { check: oneOf(finalNewlines) },
  content: { check: content },
});

const anyArray: Check = (value, name) =>
  Array.isArray(value) ? [] : unsupported(name, "must be an array");

const anyRecord: Check = (value, name) =>
  isRecord(value) ? [] : unsupported(name, "must be an object");

const base = { repo: { check: text }, ref: { check: text }, commit: { check: text } };

/** The set itself; what is in `files` and `patches` has its own shape. */
export const setShape = objectOf({
  schema: { check: oneOf(["aipatch/1"]), required },
  id: { check: text, required },
  task_id: { check: text, required },
  execution_id: { check: text },
  mode: { check: oneOf(["lines", "exact"]), required },
  coordinates: { check: oneOf(["snapshot", "sequential"]), required },
  base: { check: objectOf(base), required },
  files: { check: anyRecord, required },
  patches: { check: anyArray, required },
});
