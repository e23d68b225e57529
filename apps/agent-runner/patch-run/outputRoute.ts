import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { outputBytesHeader } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { parseCount } from "../http/parseRequest.ts";
import type { Call, Route } from "../http/router.ts";
import type { RunBook } from "../runs/runBook.ts";
import { outputFile } from "./wholeOutput.ts";

type Patches = Pick<RunBook<unknown>, "folder" | "status">;

/** What a command of a finished validation printed, where its tail does not hold it all. */
export const outputRoute = (patches: Patches): Route => ({
  method: "GET",
  path: "/patches/:id/output",
  handle: (call) => answerOutput(patches, call),
});

async function answerOutput(patches: Patches, { id, query, response }: Call): Promise<undefined> {
  const command = parseCount(query, "command");
  if (patches.status(id).state === "live")
    throw new SwitchyardError("busy", `${id} is not finished; ask again later.`);
  const file = outputFile(patches.folder(id), command);
  const found = await stat(file).catch(() => null);
  if (found === null)
    throw new SwitchyardError("output_not_kept", `Nothing is kept of command ${command} of ${id}.`);
  response.writeHead(200, {
    "content-type": "text/plain; charset=utf-8",
    [outputBytesHeader]: found.size,
  });
  await pipeline(createReadStream(file), response).catch(() => response.destroy());
}
