import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  largestOutputBytes,
  type ValidationCommand,
  type ValidationReport,
} from "../../../shared/contracts/runner.ts";
import { exportTree } from "../git/baseRepository.ts";
import type { GitPlace } from "../git/git.ts";
import type { RunMarkers } from "../processes/environment.ts";
import { giveTo } from "../processes/runUser.ts";
import { type CommandWatch, runCommand } from "./runCommand.ts";
import { outputBytesOfRun, outputFile } from "./wholeOutput.ts";

/**
 * Runs a project's commands on an export of a tree, one after the other, all of them. What they do to the files
 * is thrown away with the export: what is delivered is the tree.
 */
export async function validateTree(
  tree: { base: GitPlace; treeId: string },
  commands: readonly ValidationCommand[],
  place: { folder: string; scratch: string; markers: RunMarkers },
  watch: CommandWatch,
): Promise<ValidationReport> {
  if (commands.length === 0) return { status: "none", commands: [] };
  const folder = join(place.scratch, "export");
  const home = join(place.scratch, "home");
  const temporary = join(place.scratch, "tmp");
  await exportTree(tree.base, tree.treeId, folder);
  for (const path of [home, temporary]) await mkdir(path, { recursive: true, mode: 0o700 });
  await giveTo(place.markers.user ?? null, [folder, home, temporary]);
  const verdicts: ValidationReport["commands"] = [];
  let leftBytes = outputBytesOfRun;
  for (const [index, command] of commands.entries()) {
    if (watch.stopSwitch.reason() !== null) break;
    const output = {
      file: outputFile(place.folder, index),
      maxBytes: Math.min(largestOutputBytes, leftBytes),
    };
    const where = { folder, home, temporary, markers: place.markers, output };
    const verdict = await runCommand(command, where, watch);
    leftBytes -= verdict.output?.bytes ?? 0;
    verdicts.push(verdict);
  }
  const isPassed = verdicts.every(({ status }) => status === "passed");
  return { status: isPassed ? "passed" : "failed", commands: verdicts };
}
