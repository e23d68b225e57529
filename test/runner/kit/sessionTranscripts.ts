import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Conversation } from "../../../scripts/transcripts/replayConversation.ts";
import { transcriptsFolder } from "./transcripts.ts";

export type SessionTranscript = Conversation & { folder: string };

export function sessionTranscriptsOf(agent: string, file: string): SessionTranscript[] {
  const root = join(transcriptsFolder, agent);
  return readdirSync(root).map((name) => {
    const folder = join(root, name);
    const plain = join(folder, file);
    const bytes = existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
    return { name, folder, bytes };
  });
}
